"""Builds the library of functions from ``functions/`` and loads it into the store. Every name holds the version.

The version is a digest of the source, so a changed function is another function: two releases that overlap during an
upgrade each call their own.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

import msgspec

from queueing import lanes
from queueing.errors import StoreRefused, StoreUnsuitable
from queueing.redis_keys import ALL_PARTITIONS, LIBRARIES_KEY
from queueing.store.resp_protocol import Argument, Command
from queueing.store.store import Store

_pack = msgspec.msgpack.Encoder().encode

_SHARED_ORDER: Final = (
    "register",
    "enums",
    "settings",
    "policy",
    "clock",
    "packing",
    "facility",
    "ticket",
    "events",
    "day",
    "desks",
    "moves",
    "counters",
    "requests",
    "last_change",
    "staff",
    "audit",
    "profiles",
    "desk_moves",
    "arrival_rate",
)
"""Each file may use the files before it."""
_NAMED: Final = re.compile(r"^local ([A-Z]+) = \{((?:\s*\w+ = \d+,?)+)\}", re.MULTILINE)
"""A table of named numbers, as ``STATE`` in ``shared/enums.lua``."""
TEXT_MAX: Final = 65_535
"""Bytes of one text among packed values. The longest sealed envelope has some 35,000."""
OFTEN: Final = 3
"""A library function that is named so many times has a local."""
LIBRARIES_KEPT: Final = 3
"""The newest: two releases overlap during an upgrade, and one more may be rolled back to."""
_LIBRARIES: Final = re.compile(r"\b(redis|cmsgpack|string|math)\.(\w+)")

_NO_FUNCTIONS: Final = re.compile(r"unknown (sub)?command", re.IGNORECASE)
"""How managed stores and servers with renamed commands refuse FUNCTION and FCALL."""


def _read(*parts: str) -> str:
    return files("queueing").joinpath("functions", *parts).read_text(encoding="utf-8")


def operation_names() -> list[str]:
    """File names of the operations, without their ending."""
    folder = files("queueing").joinpath("functions")
    return sorted(entry.name.removesuffix(".lua") for entry in folder.iterdir() if entry.name.endswith(".lua"))


def _operation(name: str) -> str:
    # Each operation is a block of its own, so that what it keeps local stays local.
    return f"do\n{_read(f'{name}.lua')}\nend"


@cache
def _body() -> str:
    shared = (_read("shared", f"{name}.lua") for name in _SHARED_ORDER)
    parts = [lanes.lua_tables(), *shared, *map(_operation, operation_names())]
    return _at_hand(in_place("\n".join(parts)))


def in_place(source: str) -> str:
    """Replaces names by their numbers: the store would look up ``STATE.WAITING`` in a table dozens of times a scan.
    A table that is not used as a whole is left out: Lua takes 200 locals.

    Raises KeyError for a name that its table lacks (in Lua it would be nothing, without a word), ValueError when two
    tables have one name.
    """
    found = _NAMED.findall(source)
    tables = {table: dict(re.findall(r"(\w+) = (\d+)", numbers)) for table, numbers in found}
    if len(tables) < len(found):
        raise ValueError(f"two tables of numbers have one name: {[table for table, _ in found]}")
    names = re.compile(rf"\b({'|'.join(tables)})\.(\w+)")
    replaced = names.sub(lambda name: tables[name[1]][name[2]], source)
    whole = set(re.findall(r"\b[A-Z]+\b", _NAMED.sub("", replaced)))
    return _NAMED.sub(lambda table: table[0] if table[1] in whole else "", replaced)


def _at_hand(source: str) -> str:
    """Makes a local for every library function that is used often: ``redis.call`` would be two table look-ups.
    They are not there yet when this is loaded, so the first use fetches each. Lua takes 200 locals, so a function that
    is named once or twice has none.
    """
    named = Counter(_LIBRARIES.findall(source))
    often = sorted(function for function, count in named.items() if count >= OFTEN)
    stubs = [
        f"local {library}_{name}; {library}_{name} = function(...)"
        f" {library}_{name} = {library}.{name}; return {library}_{name}(...) end;"
        for library, name in often
    ]
    uses = re.compile("|".join(rf"\b{library}\.{name}\b" for library, name in often))
    return " ".join(stubs) + "\n" + uses.sub(lambda use: use[0].replace(".", "_"), source)


@cache
def version() -> str:
    """Eight hex characters that change with any change of any function."""
    return sha256(_body().encode()).hexdigest()[:8]


@cache
def function_name(operation: str) -> str:
    """What FCALL calls an operation of this release."""
    return f"{operation}_{version()}"


@cache
def _called(operation: str) -> tuple[bytes, bytes]:
    return (b"FCALL", function_name(operation).encode())


@cache
def source() -> str:
    """The whole library as FUNCTION LOAD takes it."""
    return f"#!lua name=kiosk_{version()}\nlocal VERSION = '{version()}'\n{_body()}"


async def load(store: Store) -> None:
    """Load the library on every primary that lacks it, and delete those of old releases. Safe to repeat, and from
    many processes at once.
    """
    try:
        await store.each_primary("FUNCTION", "LOAD", source())
    except StoreRefused as refused:
        if "already exists" not in str(refused):
            raise _unsuitable(refused) or refused from None
    else:
        await _forget_older(store)


async def prove(store: Store) -> None:
    """Load the library and call one function that writes nothing. Raises StoreUnsuitable where that is not allowed."""
    await load(store)
    partition = ALL_PARTITIONS[0]
    try:
        await call(store, "outbox_parked", partition, "nobody", 1)
    except StoreRefused as refused:
        raise _unsuitable(refused) or refused from None


def _unsuitable(refused: StoreRefused) -> StoreUnsuitable | None:
    """The same in words, when it says that functions are not allowed or not known: trying again cannot help."""
    if refused.code != "NOPERM" and not _NO_FUNCTIONS.search(str(refused)):
        return None
    return StoreUnsuitable(
        f"the store does not allow functions ({refused.code}): allow its user FUNCTION and FCALL, or use another store"
    )


async def _forget_older(store: Store) -> None:
    """A process that still runs such a release loads its library again with its next call."""
    await store.call(LIBRARIES_KEY, "HSET", LIBRARIES_KEY, f"kiosk_{version()}", time.time_ns())
    loaded: Any = await store.call(LIBRARIES_KEY, "HGETALL", LIBRARIES_KEY)
    when = {name: int(loaded_ns) for name, loaded_ns in zip(loaded[::2], loaded[1::2], strict=True)}
    for name in sorted(when, key=when.__getitem__, reverse=True)[LIBRARIES_KEPT:]:
        with suppress(StoreRefused):  # gone already, or an account that may not
            await store.each_primary("FUNCTION", "DELETE", name)
        await store.call(LIBRARIES_KEY, "HDEL", LIBRARIES_KEY, name)


def pack_values(*values: Any) -> bytes:
    """Packs values one after another, as a function unpacks them; at most 15."""
    return _pack(values)[1:]  # without the head of the list


@lru_cache(maxsize=1024)
def text_head(size: int) -> bytes:
    """The MessagePack head of a text of ``size`` bytes, at most ``TEXT_MAX``: Lua knows texts, no bytes."""
    return bytes((0xA0 | size,)) if size < 32 else b"\xda" + size.to_bytes(2)


def command(operation: str, keys: Sequence[str], arguments: Iterable[Argument]) -> Command:
    """The call of an operation."""
    return (*_called(operation), len(keys), *keys, *arguments)


def is_missing(refused: StoreRefused) -> bool:
    """True when the store lacks the library (a new primary, or emptied). Nothing ran."""
    return "Function not found" in str(refused)


async def call(store: Store, operation: str, key: str, *arguments: Argument) -> Any:
    """One function call on the node that owns ``key``; the reply has the shape that the function's header states."""
    return await call_many(store, operation, (key,), arguments)


async def call_many(store: Store, operation: str, keys: Sequence[str], arguments: Iterable[Argument]) -> Any:
    """The same with several keys, which one node must own."""
    fcall = command(operation, keys, arguments)
    try:
        return await store.call(keys[0], *fcall)
    except StoreRefused as refused:
        if not is_missing(refused):
            raise
    await load(store)
    return await store.call(keys[0], *fcall)
