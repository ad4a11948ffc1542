"""What every command needs: settings, an open store, output for people or for programs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import click
import msgspec

from kiosk.security.keyring_file import KeysUnreadable
from kiosk.settings import Settings, SettingsWrong, load, unknown_names
from queueing import library
from queueing.audit import Actor
from queueing.display_text import ascii_where_unseen, terminal_text
from queueing.embedded.server import attach_or_start
from queueing.errors import QueueingError
from queueing.store.store import Store, open_store
from tokens.errors import TokenError

T = TypeVar("T")

as_json = click.option("--json", "json", is_flag=True, help="Print JSON for programs.")


COMMAND_LINE: Final = "(command line)"
"""Stands in the audit in place of a login; no login has such characters."""
OPERATOR: Final = Actor(login=COMMAND_LINE)
"""For every act of the command line."""


class CommandFailed(Exception):
    """A command failed. ``str`` is one line for an operator."""


SPOKEN = (CommandFailed, SettingsWrong, KeysUnreadable, QueueingError, TokenError)
"""Failures whose message we wrote ourselves."""


def in_one_line(failure: Exception) -> str:
    """What an operator reads. Messages of libraries are not shown, because they may repeat an argument."""
    from kiosk.runtime.supervisor import CannotServe
    from kiosk.security.failures import places

    while isinstance(failure, ExceptionGroup):  # several tasks failed together: report the first
        failure = failure.exceptions[0]
    if isinstance(failure, (*SPOKEN, CannotServe)):
        return str(failure) or type(failure).__name__
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.strerror}: {failure.filename}" if failure.filename else failure.strerror
    at = next(places(failure), "nowhere")
    return f"internal error: {type(failure).__name__} at {at}; please report this line"


def settings_now() -> Settings:
    """The settings. Prints a line for each unknown name."""
    for name in unknown_names():
        click.echo(f"kiosk: {name} is not a setting and is ignored", err=True)
    return load()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The store: the operator's own, that of a running ``kiosk serve``, or one started for this command."""
    with contextlib.ExitStack() as stack:
        url = settings.redis_url or stack.enter_context(attach_or_start(settings.data_dir))
        store = await open_store(url, vouched=settings.store_vouched, may_go_alone=settings.store_alone)
        try:
            await library.load(store)
            yield store
        finally:
            await store.close()


def with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Run ``work`` on the store, then close it."""

    async def run() -> T:
        async with opened(settings) as store:
            return await work(store)

    return asyncio.run(run())


def tell(json: bool, result: Any, *lines: str) -> None:
    """Print the result: one JSON document, or lines for people."""
    if json:
        click.echo(json_text(result))
    else:
        for line in lines:
            click.echo(terminal_text(line))


def json_text(result: Any) -> str:
    """A JSON document that does nothing to a terminal: what cannot be seen stands as an escape."""
    return ascii_where_unseen(msgspec.json.format(msgspec.json.encode(result)).decode())


def a_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as their widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]
