"""The outermost layer of every address of ours, the gateway's endpoints excepted.

It takes a path prefix off the request's path, adds the security headers an answer lacks, answers HEAD as GET without
the body (RFC 9110, section 9.3.2), and answers a failure that passed every other handler with a problem document.
"""

from typing import Any, Final

from kiosk.web import path_prefix, problems
from kiosk.web.security_headers import PAGE

_HEADERS: Final = tuple((name.lower().encode(), value.encode()) for name, value in PAGE.items())
OWN_HEAD: Final = "/live/"
"""Event streams answer HEAD themselves: their GET has no end."""


class _Answer:
    """Passes an answer on, completed."""

    def __init__(self, send: Any, *, head: bool) -> None:
        self._send = send
        self._head = head
        self.started = False

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": _completed(message.get("headers", ()))}
        elif self._head and message["type"] == "http.response.body":
            if message.get("more_body"):
                return
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def _completed(headers: Any) -> list[tuple[bytes, bytes]]:
    """What the answer says itself stays; what it lacks is added."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    return own + [header for header in _HEADERS if header[0] not in names]


async def answer_whole(app: Any, scope: Any, receive: Any, send: Any, *, prefix: str = "") -> None:
    """Run ``app`` for one HTTP request. ``prefix``: the path under which this service stands (``path_prefix``)."""
    path_prefix.enter(scope, prefix)
    head = scope["method"] == "HEAD" and not scope["path"].startswith(OWN_HEAD)
    if head:
        scope["method"] = "GET"
    answer = _Answer(send, head=head)
    try:
        await app(scope, receive, answer.send)
    except Exception as failure:
        if answer.started:
            raise  # the server cuts the connection: the reader must see that the answer is not whole
        await problems.answer_raw(failure, answer.send)
