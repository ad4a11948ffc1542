"""Loaded by schemathesis. It counts the answers, gives each message of the gateway an id of its own, and never waits.

With the ids that schemathesis makes, nearly all shares would be the same request again.
"""

import atexit
import os
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import schemathesis

STATUSES_FILE: Final = "statuses.json"
"""In the working directory: method and path → status → answers."""
_statuses: dict[str, Counter[int]] = {}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Replace an id and a time that are good, and a wait; what is wrong stays as it is."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    _renew(case.headers, "REQUEST-ID", "TIMESTAMP", now)
    if isinstance(case.body, dict):
        case.body = dict(case.body)
        _renew(case.body, "requestId", "timestamp", now)
    if case.query and _is_good(case.query.get("wait"), float):
        case.query["wait"] = 0


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count the answer."""
    _statuses.setdefault(f"{case.method} {case.path}", Counter())[response.status_code] += 1


def _renew(holder: Any, request_id: str, timestamp: str, now: str) -> None:
    if holder and _is_good(holder.get(request_id), uuid.UUID):
        holder[request_id] = str(uuid.uuid4())
    if holder and _is_good(holder.get(timestamp), datetime.fromisoformat):
        holder[timestamp] = now


def _is_good(value: Any, read: Any) -> bool:
    try:
        read(value)
    except (ValueError, TypeError, AttributeError):
        return False
    return True


def _write_statuses(folder: str) -> None:
    Path(folder, STATUSES_FILE).write_bytes(msgspec.json.encode(_statuses))


atexit.register(_write_statuses, os.getcwd())
