"""The gateway's public keys: fetched from the gateway only, kept in memory and on disk.

- A fetched key is accepted until the gateway publishes a set without it, also during a long outage and after a restart.
  We fail open to known keys, never to unknown ones.
- An unknown key id causes one fetch. However many unknown ids and workers there are, a data folder makes at most one
  fetch in ten seconds.
"""

import asyncio
import fcntl
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from kiosk.abdm.errors import GatewayError
from kiosk.observability import metrics

_log = structlog.get_logger(__name__)

FETCH_EVERY_S: Final = 10.0
"""At most one fetch in this time. A stranger can send unknown key ids at no cost; a fetch costs us a call."""
REFRESH_S: Final = 600.0
"""A set older than this is fetched again in the background of the next scan, so a withdrawn key is refused
in minutes.
"""
LEARNING_S: Final = 3.5
"""How long to wait for another worker's fetch: a little longer than a fetch may take."""
KEYS_MAX: Final = 32
KID_MAX: Final = 200
RSA_BITS_MIN: Final = 2048
ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
"""The gateway signs with RSA only; keys of other types are ignored."""
FILE: Final = "gateway-keys.json"
_MARK: Final = "gateway-keys.fetched"

_ANY: Final = msgspec.json.Decoder()


def read_key_set(document: bytes) -> dict[str, PyJWK]:
    """The usable signing keys of a JWKS by their id. Unusable members are skipped. Never raises."""
    try:
        found = _ANY.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    listed = found.get("keys") if isinstance(found, dict) else None
    keys = {}
    for member in listed[:KEYS_MAX] if isinstance(listed, list) else ():
        if (key := _usable(member)) is not None:
            keys[member["kid"]] = key
    return keys


def _usable(member: Any) -> PyJWK | None:
    if not isinstance(member, dict) or member.get("kty") != "RSA" or member.get("use", "sig") != "sig":
        return None
    kid, algorithm = member.get("kid"), member.get("alg", "RS256")
    if not (isinstance(kid, str) and 0 < len(kid) <= KID_MAX and isinstance(algorithm, str)):
        return None
    if algorithm not in ALGORITHMS:
        return None
    try:
        key = PyJWK({"kty": "RSA", "n": member["n"], "e": member["e"]}, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError, ArithmeticError):
        return None
    public = key.key
    return key if isinstance(public, RSAPublicKey) and public.key_size >= RSA_BITS_MIN else None


class KeySet:
    """One per process. A scan calls ``find`` only."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], folder: Path) -> None:
        self._fetch = fetch
        self._file = folder / FILE
        self._mark = folder / _MARK
        self._keys: Mapping[str, PyJWK] = {}
        self._read_at = 0.0
        """Modification time of the file that was read last, in seconds."""
        self._refreshed = float("-inf")
        self._learning: asyncio.Task[None] | None = None
        self._my_turn_ns = 0
        self._other_fetches = False
        self.generation = 0
        """Grows with every change of the keys. A token that was accepted with older keys must be checked again."""
        self._reread()

    def __len__(self) -> int:
        return len(self._keys)

    def known(self, kid: str, now: float) -> PyJWK | None:
        """The key with this id, without waiting. ``now`` is of the monotonic clock. An old set is fetched again in the
        background.
        """
        if now - self._refreshed > REFRESH_S and self._learning is None:
            self._refreshed = now  # also when the fetch fails: the next try is a whole period later
            self._start()
        return self._keys.get(kid)

    async def find(self, kid: str, now: float) -> PyJWK | None:
        """The key with this id. Asks the gateway once when we do not have it."""
        if (key := self.known(kid, now)) is not None:
            return key
        self._reread()  # another worker may have fetched it
        if kid not in self._keys:
            await asyncio.shield(self._learning or self._start())
        return self._keys.get(kid)

    async def settled(self) -> None:
        """Wait until a running fetch is done."""
        if self._learning is not None:
            await asyncio.shield(self._learning)

    def _start(self) -> "asyncio.Task[None]":
        self._learning = asyncio.get_running_loop().create_task(self._learn())
        self._learning.add_done_callback(self._learnt)
        return self._learning

    def _learnt(self, _: "asyncio.Task[None]") -> None:
        self._learning = None

    async def _learn(self) -> None:
        """Fetch if it is our turn; else wait for the worker that fetches."""
        if not self._take_turn(time.time()):
            if self._other_fetches:
                await self._await_other()
            return
        try:
            document = await self._fetch()
        except GatewayError as away:
            # Known keys stay accepted. A caller with a new key id is refused until a fetch succeeds.
            metrics.fell_open("gateway_keys")
            _log.warning("gateway_keys_not_fetched", error=type(away).__name__)
            return
        if self._believe(document):
            self._refreshed = time.monotonic()
            self._write(document)

    async def _await_other(self) -> None:
        generation, ends = self.generation, time.monotonic() + LEARNING_S
        while self.generation == generation and time.monotonic() < ends:
            await asyncio.sleep(0.1)
            self._reread()

    def _take_turn(self, now_s: float) -> bool:
        """Whether this process may fetch now. The mark is shared by all workers on the folder."""
        mark = os.open(self._mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(mark, fcntl.LOCK_EX)
            seen = os.fstat(mark)
            age_s = now_s - seen.st_mtime
            if seen.st_size and 0 <= age_s < FETCH_EVERY_S:
                self._other_fetches = age_s < LEARNING_S and seen.st_mtime_ns != self._my_turn_ns
                return False
            os.pwrite(mark, b"1", 0)
            os.utime(mark, (now_s, now_s))
            self._my_turn_ns = os.fstat(mark).st_mtime_ns
            return True
        finally:
            os.close(mark)

    def _believe(self, document: bytes) -> bool:
        """Use this set if it has a key. An empty set is a fault of the gateway, not a withdrawal of all keys."""
        keys = read_key_set(document)
        if not keys:
            return False
        if {kid: _public(key) for kid, key in keys.items()} != {kid: _public(key) for kid, key in self._keys.items()}:
            self._keys = keys
            self.generation += 1
        return True

    def _reread(self) -> None:
        with suppress(OSError):
            changed = self._file.stat().st_mtime
            if changed != self._read_at:
                self._read_at = changed
                self._believe(self._file.read_bytes()[: 64 * 1024])

    def _write(self, document: bytes) -> None:
        """Replace the file in one step. If the disk is full, this scan goes on; only the next cold start must fetch."""
        with suppress(OSError):
            handle, temporary = tempfile.mkstemp(dir=self._file.parent, prefix=FILE)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(document)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, self._file)
            except OSError:
                os.unlink(temporary)
                raise
            self._read_at = self._file.stat().st_mtime


def _public(key: PyJWK) -> tuple[str, Any]:
    return key.algorithm_name, key.key.public_numbers()
