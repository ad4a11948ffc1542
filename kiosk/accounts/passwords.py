"""Staff passwords: generating, checking and hashing them.

argon2id with the parameters of OWASP's second choice: 19 MiB, two passes, one lane, about 30 ms of one core. All
hashing runs in one thread of its own with a bounded queue, so many guesses at once slow only the sign-in.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 8, 128
"""Length of a password in characters. No rules of composition, no forced change by the calendar."""

QUEUE = 20
"""Hashes waiting or running at once: at 30 ms each the last one waits 0.6 s, which a person does not notice."""

_CONSONANTS, _VOWELS = "bdfghjkmnprstvwz", "aeiou"
_SYLLABLES, _GROUP = 10, 2
"""Ten of 80 syllables: 63 bits, in five groups that can be read over a telephone."""

_COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text("utf-8").split())
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv")


T = TypeVar("T")


class HashingBusy(Exception):
    """``QUEUE`` passwords wait to be checked already; a try a second later succeeds."""


class Fault(Enum):
    """Why a password may not be chosen. The console has the sentences."""

    LENGTH = "length"
    IS_LOGIN = "the login itself"
    RUN = "a run of the keyboard"
    COMMON = "a common password"
    SAME = "the old password"


class WeakPassword(Exception):
    """This password may not be chosen."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def generated() -> str:
    """A first password: readable aloud, 63 bits of chance, like ``bako-tidu-renu-fipa-zomu``."""
    syllables = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(_SYLLABLES)]
    return "-".join("".join(syllables[at : at + _GROUP]) for at in range(0, _SYLLABLES, _GROUP))


def judge(password: str, *, login: str) -> None:
    """Raise ``WeakPassword`` for a wrong length, the login itself, a common password or a run of the keyboard."""
    if not LEAST <= len(password) <= MOST:
        raise WeakPassword(Fault.LENGTH)
    lowered = password.lower()
    core = lowered.strip("0123456789!@#$%^&*()_-+=.,? ")
    if login.lower() in (lowered, core):
        raise WeakPassword(Fault.IS_LOGIN)
    if len(set(lowered)) < 4 or any(lowered in run or lowered[::-1] in run for run in _RUNS):
        raise WeakPassword(Fault.RUN)
    if not _COMMON.isdisjoint({lowered, core, core.translate(_LEET), lowered.translate(_LEET)}):
        raise WeakPassword(Fault.COMMON)


class Hasher:
    """Hashes and verifies in one dedicated thread; at most ``QUEUE`` at a time."""

    def __init__(self) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._waiting = 0
        self._decoy = self._argon2.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password. Without a hash (unknown login): False, after the same work."""
        return await self._run(lambda: self._matches(hashed or self._decoy, password)) and hashed is not None

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._argon2.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= QUEUE:
            raise HashingBusy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1
