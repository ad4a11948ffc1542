"""What every command needs: checked settings, an open store for a moment, output for people or for programs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import click
import msgspec

from kiosk.security.keyring_file import KeysUnreadable
from kiosk.settings import Settings, SettingsWrong, load, unknown_names
from queueing import library
from queueing.embedded.server import attach_or_start
from queueing.errors import QueueingError
from queueing.store.store import Store, open_store
from tokens.errors import TokenError

T = TypeVar("T")

as_json = click.option("--json", "json", is_flag=True, help="Print JSON for programs.")


class CommandFailed(Exception):
    """A command could not do what was asked. ``str`` is one line for an operator."""


SPOKEN = (CommandFailed, SettingsWrong, KeysUnreadable, QueueingError, TokenError)
"""Failures whose words are ours."""


def in_one_line(failure: Exception) -> str:
    """What an operator reads. Words we did not write are not shown: they may repeat an argument."""
    from kiosk.observability.logs import places
    from kiosk.runtime.supervisor import CannotServe

    while isinstance(failure, ExceptionGroup):  # of several things at once that failed together, the first tells
        failure = failure.exceptions[0]
    if isinstance(failure, (*SPOKEN, CannotServe)):
        return str(failure) or type(failure).__name__
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.strerror}: {failure.filename}" if failure.filename else failure.strerror
    at = next(places(failure), "nowhere")
    return f"something is wrong inside: {type(failure).__name__} at {at}; please report this line"


def settings_now() -> Settings:
    """The settings, with a line for each name that means nothing."""
    for name in unknown_names():
        click.echo(f"kiosk: {name} is no setting and is ignored", err=True)
    return load()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The store: the operator's own, that of a running ``kiosk serve``, or the embedded one for the moment."""
    with contextlib.ExitStack() as stack:
        url = settings.redis_url or stack.enter_context(attach_or_start(settings.data_dir))
        store = await open_store(url, vouched=settings.store_vouched)
        try:
            await library.load(store)
            yield store
        finally:
            await store.close()


def with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Run ``work`` on the store and let go of it."""

    async def run() -> T:
        async with opened(settings) as store:
            return await work(store)

    return asyncio.run(run())


def tell(json: bool, told: Any, *lines: str) -> None:
    """The result: one JSON document, or lines for people."""
    if json:
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        for line in lines:
            click.echo(line)


def a_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as what stands in them."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]
