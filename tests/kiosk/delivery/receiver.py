"""A real HTTP receiver in a thread of its own, which answers as a test says."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from standardwebhooks import Webhook

Answer = Callable[["Received"], tuple[int, bytes]]


class Received(msgspec.Struct, frozen=True):
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Keeps every request. ``answer`` may be changed while it runs."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.taken: list[Received] = []
        """Those that were answered with a 2xx."""
        self.answer: Answer = lambda _one: (200, b"taken")
        self.location = ""
        self.drip_s = 0.0
        """Seconds between the bytes of an endless answer; 0: the answer ends."""
        self.url = ""

    def handle(self, received: Received) -> tuple[int, bytes]:
        self.received.append(received)
        status, body = self.answer(received)
        if 200 <= status < 300:
            self.taken.append(received)
        return status, body

    def ids(self) -> list[str]:
        return list(dict.fromkeys(one.id for one in self.taken))

    def verify_all(self, secret: str) -> None:
        """Every request, by the library's own verifier."""
        for one in self.received:
            Webhook(secret).verify(one.body, one.headers, json_parse=False)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = receiver.handle(Received(headers, body, time.time()))
            with suppress(OSError):  # the sender went away
                self._answer(status, answer)

        def _answer(self, status: int, answer: bytes) -> None:
            self.send_response(status)
            if receiver.location:
                self.send_header("location", receiver.location)
            if receiver.drip_s:
                self.end_headers()
                self._drip(answer)
                return
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _drip(self, answer: bytes) -> None:
            self.close_connection = True
            while True:
                self.wfile.write(answer)
                time.sleep(receiver.drip_s)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver on loopback."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(receiver))
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
