"""The outermost layer of every address of ours, the gateway's endpoints excepted.

It takes a path prefix off the request's path, adds the security headers an answer lacks, answers HEAD as GET without
the body (RFC 9110, section 9.3.2), names HEAD and OPTIONS in ``Allow``, and answers a failure that passed every other
handler with a problem document.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, cast

from litestar.types import HTTPResponseStartEvent, HTTPScope, Message, Receive, Send

from kiosk.web import path_prefix, problems
from kiosk.web.allowed_methods import with_implied
from kiosk.web.limits import LENGTH_DIGITS
from kiosk.web.security_headers import PAGE
from kiosk.web.unread_body import answer_unread

_HEADERS: Final = tuple((name.lower().encode(), value.encode()) for name, value in PAGE.items())
OWN_HEAD: Final = "/live/"
"""Event streams answer HEAD themselves: their GET has no end."""

_HEAD: Final = "kiosk.head"


def is_head(scope: Mapping[str, Any]) -> bool:
    """Whether the request that is answered as GET was HEAD: a stream then ends at once."""
    return bool(scope.get(_HEAD))


class _Answer:
    """Passes an answer on, completed."""

    def __init__(self, send: Send, body: "_Body", *, head: bool) -> None:
        self._send = send
        self._body = body
        self._head = head
        self._start: HTTPResponseStartEvent | None = None
        """Held until the first part of the answer's body tells whether it is the whole."""
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = {**message, "headers": _completed(message.get("headers", ()))}
        elif message["type"] == "http.response.body":
            await self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            await self._send(message)

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        self.started = True
        if self._head:
            if more:
                return
            body = b""
        if start := self._start:
            self._start = None
            if not more and self._body.is_unread:
                await answer_unread(self._send, start, body, self._body.receive)
                return
            await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


class _Body:
    """The body of a request, and whether a part of it was left unread."""

    def __init__(self, scope: HTTPScope, receive: Receive) -> None:
        headers = dict(scope["headers"])
        self._receive = receive
        self._waits = b"100-continue" in headers.get(b"expect", b"").lower()
        """Whether the sender waits for our leave to write. An answer without it says no."""
        length = headers.get(b"content-length", b"0") if b"transfer-encoding" not in headers else b""
        self._left = int(length) if length.isdigit() and len(length) <= LENGTH_DIGITS else None
        """Bytes that are still to come; None when the request does not say."""
        self._whole = self._left == 0

    @property
    def is_unread(self) -> bool:
        return not self._whole and not self._waits

    async def receive(self) -> Any:
        self._waits = False
        message = await self._receive()
        # Granian tells the end of a body in a message of its own, which nobody waits for who knows the length.
        if self._left is not None:
            self._left -= len(cast(bytes, message.get("body", b"")))
        self._whole = not message.get("more_body", False) or self._left == 0
        return message


def _completed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What the answer says itself stays; what it lacks is added."""
    own = [_with_implied(header) for header in headers]
    names = {name.lower() for name, _ in own}
    return own + [header for header in _HEADERS if header[0] not in names]


def _with_implied(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    name, value = header
    return (name, with_implied(value.decode("latin-1")).encode("latin-1")) if name.lower() == b"allow" else header


async def answer_whole(
    app: Callable[[HTTPScope, Receive, Send], Awaitable[None]],
    scope: HTTPScope,
    receive: Receive,
    send: Send,
    *,
    prefix: str = "",
) -> None:
    """Run ``app`` for one HTTP request. ``prefix``: the path under which this service stands (``path_prefix``)."""
    path_prefix.enter(scope, prefix)
    head = scope["method"] == "HEAD" and not scope["path"].startswith(OWN_HEAD)
    if head:
        scope["method"] = "GET"
        cast(dict[str, Any], scope)[_HEAD] = True
    body = _Body(scope, receive)
    answer = _Answer(send, body, head=head)
    try:
        await app(scope, body.receive, answer.send)
    except Exception as failure:  # the last resort: whatever fails is answered with a problem document
        if answer.started:
            raise  # the server cuts the connection: the reader must see that the answer is not whole
        await problems.answer_raw(failure, answer.send)
