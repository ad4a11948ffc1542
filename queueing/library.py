"""The functions that live in the store: gathered from ``functions/`` into one library with its version in every name.

The version is a digest of the source, so a changed function is another function: two releases that overlap during an
upgrade each call their own.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from queueing.errors import StoreRefused
from queueing.store import Store

_SHARED_ORDER: Final = (
    "register",
    "words",
    "settings",
    "clock",
    "hall",
    "ticket",
    "news",
    "day",
    "moves",
    "counters",
    "requests",
)
"""Each may use what stands before it."""


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
    return "\n".join([*(_read("shared", f"{name}.lua") for name in _SHARED_ORDER), *map(_operation, operation_names())])


@cache
def version() -> str:
    """Eight hex characters that change with any change of any function."""
    return sha256(_body().encode()).hexdigest()[:8]


@cache
def function_name(operation: str) -> str:
    """What FCALL calls an operation of this release."""
    return f"{operation}_{version()}"


@cache
def _called(operation: str) -> tuple[bytes, bytes, bytes]:
    """How every call of it begins: one key follows."""
    return (b"FCALL", function_name(operation).encode(), b"1")


@cache
def source() -> str:
    """The whole library as FUNCTION LOAD takes it."""
    return f"#!lua name=kiosk_{version()}\nlocal VERSION = '{version()}'\n{_body()}"


async def load(store: Store) -> None:
    """Put the library on every primary that lacks it. Safe to repeat, and from many processes at once."""
    try:
        await store.each_primary("FUNCTION", "LOAD", source())
    except StoreRefused as refused:
        if "already exists" not in str(refused):
            raise


async def call(store: Store, operation: str, key: str, *arguments: str | bytes | float) -> Any:
    """One function call on the node that owns ``key``; the reply has the shape that the function's header states."""
    command = (*_called(operation), key, *arguments)
    try:
        return await store.call(key, *command)
    except StoreRefused as refused:
        if "Function not found" not in str(refused):
            raise
    # A new primary, or a store that was emptied: nothing ran, so bring the library and ask again.
    await load(store)
    return await store.call(key, *command)
