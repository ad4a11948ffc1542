"""A small receiver that verifies, prints and acknowledges webhooks: ``kiosk hmis receive``.

It is an example and a tool for tests, not a part of the service. ``GET /seen`` answers the ids that it took, in order,
which ``kiosk hmis check`` reads.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from standardwebhooks import Webhook, WebhookVerificationError

BODY_MAX: Final = 256 * 1024
"""Bytes: an event with a profile has some two kilobytes, a FHIR bundle some six."""
IDS_KEPT: Final = 100_000
"""A day of the largest hospital. A receiver of yours keeps ids for a day."""
READ_S: Final = 10.0
"""For a request to arrive."""
DRIP_S: Final = 0.05


class Faults(Struct, frozen=True, kw_only=True):
    """What goes wrong on purpose."""

    fail: int = 0
    """First tries of each event that are answered 500."""
    slow_s: float = 0.0
    """Seconds before each answer."""
    status: int = 200
    """Of every answer to a verified event."""
    gone_after: int = 0
    """Answers 410 after so many events; 0: never."""
    endless: bool = False
    """The answer never ends."""


class Line(Struct, frozen=True, kw_only=True):
    """What is printed of one request. No name and no number of a person is in it."""

    id: str
    type: str
    token: str
    verified: bool
    again: bool
    status: int
    why: str = ""


class TryReceiver:
    """Decides about requests; any number of threads may ask."""

    def __init__(self, secret: str, faults: Faults, say: Callable[[Line], None]) -> None:
        self._webhook = Webhook(secret) if secret else None
        self._faults = faults
        self._say = say
        self._lock = threading.Lock()
        self._taken: dict[str, None] = {}
        self._tries: Counter[str] = Counter()

    @property
    def endless(self) -> bool:
        return self._faults.endless

    def seen(self) -> list[str]:
        """The ids that were taken, in order."""
        with self._lock:
            return list(self._taken)

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        """The status of the answer."""
        event_id = headers.get("webhook-id", "")
        why = self._refusal(headers, body)
        kind, token = _described(headers, body)
        if why:
            self._say(Line(id=event_id, type=kind, token=token, verified=False, again=False, status=401, why=why))
            return 401
        time.sleep(self._faults.slow_s)
        with self._lock:
            again = event_id in self._taken
            status = self._status(event_id, again=again)
        verified = self._webhook is not None
        self._say(Line(id=event_id, type=kind, token=token, verified=verified, again=again, status=status))
        return status

    def _refusal(self, headers: dict[str, str], body: bytes) -> str:
        """Why the request is not believed; empty when it is."""
        if self._webhook is None:
            return ""
        try:
            self._webhook.verify(body, headers, json_parse=False)
        except WebhookVerificationError as wrong:
            return str(wrong)
        except ValueError:
            return "the signature cannot be read"
        return ""

    def _status(self, event_id: str, *, again: bool) -> int:
        self._tries[event_id] += 1
        if not again and self._tries[event_id] <= self._faults.fail:
            return 500
        if self._faults.gone_after and len(self._taken) >= self._faults.gone_after and not again:
            return 410
        if 200 <= self._faults.status < 300:
            self._taken[event_id] = None
            while len(self._taken) > IDS_KEPT:
                forgotten = next(iter(self._taken))
                del self._taken[forgotten], self._tries[forgotten]
        return self._faults.status


def _described(headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Type and token number of an event, as far as they can be read."""
    kind = headers.get("x-kiosk-event", "")
    try:
        event = msgspec.json.decode(body)
        ticket = (event.get("data") or {}).get("ticket") or {}
        return str(event.get("type") or kind)[:60], str(ticket.get("token_number") or "")[:20]
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError, RecursionError):
        return kind[:60], ""


class _Server(ThreadingHTTPServer):
    """Hands what is sent to it to the receiver, each request in a thread of its own."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], receiver: TryReceiver) -> None:
        super().__init__(address, _Handler)
        self.receiver = receiver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = READ_S
    server: _Server

    def do_GET(self) -> None:
        known = urlsplit(self.path).path == "/seen"
        self._answer(200 if known else 404, msgspec.json.encode(self.server.receiver.seen()) if known else b"")

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdecimal() or int(length) > BODY_MAX:
            self.close_connection = True
            self._answer(413 if length else 411, b"")
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.receiver.receive(headers, self.rfile.read(int(length)))
        if self.server.receiver.endless:
            self._drip(status)
        else:
            self._answer(status, b"" if status == 204 else b"taken\n" if status < 300 else b"not taken\n")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, status: int) -> None:
        """Begin an answer that does not end."""
        self.close_connection = True
        self.send_response(status)
        self.end_headers()
        while True:
            self.wfile.write(b"and so on ")
            time.sleep(DRIP_S)

    def log_message(self, format: str, *args: Any) -> None:
        return

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # the sender went away


def server_for(receiver: TryReceiver, host: str, port: int) -> ThreadingHTTPServer:
    """A server that is bound and not running yet."""
    return _Server((host, port), receiver)
