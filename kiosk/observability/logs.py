"""Log lines: one JSON object each on standard error, with listed fields only.

Fields that are not in ``FIELDS`` are dropped and their names counted under ``dropped``; texts are cut and cleaned, so
no input can forge a second line. An exception is logged by class and place, never by its message, because a message may
repeat a patient's data.
"""

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog

from kiosk.security.failures import FRAMES_MAX, places

FIELDS: Final = frozenset({
    "at", "count", "error", "event", "exit", "id", "level", "listeners", "logger", "pid", "port", "reason", "role",
    "state", "status", "target", "time",
})  # fmt: skip
"""``id`` is that of an event, ``target`` that of a webhook or HL7 receiver."""

TEXT_MAX: Final = 300
OWN_ROOMS: Final = ("kiosk", "queueing", "tokens")
"""Loggers of our own messages. Of other loggers' messages only the template is logged, without its arguments."""


def configure_logs(level: str) -> None:
    """Send all log records of this process, ours and those of libraries, through one filter."""
    chain: list[structlog.typing.Processor] = [structlog.stdlib.add_log_level, _stamp]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.add_logger_name, *chain,
                    structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )  # fmt: skip
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *chain],
            processors=[_own_messages, structlog.stdlib.ProcessorFormatter.remove_processors_meta, only_listed, _line],
        )
    )
    # A record that cannot be written is lost; the standard library would print all of it, names included.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("asyncio", "granian", "_granian", "httpx"):
        logging.getLogger(chatty).handlers.clear()
        logging.getLogger(chatty).propagate = True
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


Event = MutableMapping[str, Any]


def only_listed(_logger: object, _method: str, event: Event) -> Event:
    """The filter: listed fields, clean and short."""
    listed: Event = {name: _clean(value) for name, value in event.items() if name in FIELDS}
    dropped = sorted(name for name in event.keys() - FIELDS if name.isidentifier() and not name.startswith("_"))
    if dropped:
        listed["dropped"] = [name[:40] for name in dropped[:8]]
    return listed


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value[:FRAMES_MAX]]
    return "".join(character if character.isprintable() else " " for character in str(value)[:TEXT_MAX])


def _stamp(_logger: object, _method: str, event: Event) -> Event:
    """UTC with offset, as incident reports need it."""
    event["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    return event


def _own_messages(_logger: object, _method: str, event: Event) -> Event:
    """Keep our own messages. Reduce a library's message to its template, and an exception to its class and place."""
    record: logging.LogRecord | None = event.get("_record")
    foreign = record is not None and not event.get("_from_structlog")
    if record is not None and foreign and record.name.partition(".")[0] not in OWN_ROOMS:
        event["event"] = str(record.msg)
    exc_info = event.pop("exc_info", None) or (record.exc_info if record is not None else None)
    failure = exc_info[1] if isinstance(exc_info, tuple) else sys.exc_info()[1] if exc_info is True else exc_info
    if isinstance(failure, BaseException):
        event["error"] = type(failure).__name__
        event["at"] = list(places(failure))
    if record is not None:
        # So that no later formatter adds them to the line.
        record.exc_info = record.exc_text = record.stack_info = None
    return event


_encode: Final = msgspec.json.Encoder(enc_hook=str, order="deterministic").encode


def _line(_logger: object, _method: str, event: Event) -> str:
    return _encode(dict(event)).decode("utf-8", "replace")
