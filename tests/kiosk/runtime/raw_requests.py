"""Requests written as bytes to a socket, because HTTP libraries hide what these tests examine."""

import socket
import time
from typing import NamedTuple
from urllib.parse import urlsplit

PATIENCE_S = 20.0
"""No promise: a busy machine is given time."""


class Answer(NamedTuple):
    """The bytes of an answer, with what they mean."""

    raw: bytes
    seconds: float
    """From the first byte that was sent to the first byte that came back."""
    sent_all: bool
    """Whether the server took every byte of the request."""

    @property
    def status(self) -> int:
        """Of the final answer; 0 when there is none."""
        parts = self._final.split(b" ", 2)
        return int(parts[1]) if len(parts) > 1 else 0

    @property
    def continued(self) -> bool:
        """Whether a ``100 Continue`` came before the answer."""
        return self.raw.startswith(b"HTTP/1.1 100")

    @property
    def headers(self) -> dict[str, str]:
        lines = self._final.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def body(self) -> bytes:
        return self._final.partition(b"\r\n\r\n")[2]

    @property
    def _final(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2] if self.continued else self.raw


class Caller:
    """Opens a connection for each request."""

    def __init__(self, url: str) -> None:
        self.authority = urlsplit(url).netloc
        host, port = self.authority.split(":")
        self._address = (host, int(port))

    def head(self, method: str, target: str, headers: dict[str, str], version: str = "1.1") -> bytes:
        named = {"Host": self.authority} | headers
        lines = [f"{method} {target} HTTP/{version}", *(f"{name}: {value}" for name, value in named.items() if value)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def ask(self, method: str, target: str, *, version: str = "1.1", **headers: str) -> Answer:
        """Send a request without a body. ``headers``: names with underscores for dashes; an empty value removes the
        header.
        """
        named = {"Connection": "close"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(self.head(method, target, named, version))

    def send(self, *parts: bytes, pause_s: float = 0.0) -> Answer:
        """Write the parts and read until the server closes or is silent. ``pause_s``: how long to wait for an answer
        between two parts.
        """
        with socket.create_connection(self._address, timeout=PATIENCE_S) as connection:
            began_s, first_s, raw, sent_all = time.monotonic(), 0.0, b"", True
            for part in parts:
                if raw == b"" and part is not parts[0] and pause_s:
                    raw, first_s = _wait(connection, pause_s), time.monotonic() - began_s
                try:
                    connection.sendall(part)
                except OSError:
                    sent_all = False
                    break
            while True:
                try:
                    piece = connection.recv(65_536)
                except OSError:
                    break
                first_s = first_s or time.monotonic() - began_s
                if not piece:
                    break
                raw += piece
                connection.settimeout(1.0)  # the answer has begun; on a connection that stays open nothing else comes
            return Answer(raw, first_s, sent_all)


def _wait(connection: socket.socket, patience_s: float) -> bytes:
    connection.settimeout(patience_s)
    try:
        return connection.recv(65_536)
    except TimeoutError:
        return b""
    finally:
        connection.settimeout(PATIENCE_S)


def chunks(size: int, *, piece: int = 32_768, last: bool = True) -> list[bytes]:
    """A body of that many bytes in chunks. The end is missing unless ``last``."""
    whole = [b"%x\r\n%b\r\n" % (piece, b"x" * piece)] * (size // piece)
    return [*whole, b"0\r\n\r\n"] if last else whole
