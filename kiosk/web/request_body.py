"""Reads the body of a request for every endpoint: JSON within bounds of size, depth and time, or a refusal.

Whatever bytes arrive, a caller gets the value or one of five refusals, none of which repeats a word of the input.
Length, encoding and depth are checked before the parser runs: it answers 100,000 brackets with a RecursionError, and
lets broken UTF-8 pass in values that it skips.
Duplicate keys: the last one counts.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec

DEPTH_MAX: Final = 32
"""Levels of brackets. The deepest honest message has five."""
DEADLINE_S: Final = 5.0
"""For the whole body: a phone on 2G sends 16 kB in two seconds."""

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]
"""ASGI's, from whichever server or framework."""

_OPENING: Final = re.compile(rb"[^\[\]{}]+")
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""Possessive, and the closing quote is optional: linear in time on every input."""
_ESCAPES: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""Escapes of JSON text from left to right; group 1 is half of a surrogate pair without its other half."""
_MARK: Final = b"\xef\xbb\xbf"
"""The UTF-8 byte order mark."""
_CURLY: Final = bytes.maketrans(b"[]", b"{}")
_WHERE: Final = re.compile(r" - at `(\$[\w.\[\]]{0,100})`$")
"""Path of the field that is wrong: made of our own field names, never of the sender's."""
_CHARSET: Final = re.compile(rb";\s*charset\s*=\s*(\"?)([^\";\s]*)\1\s*(?=;|$)", re.IGNORECASE)
_UTF8: Final = frozenset({b"utf-8", b"utf8", b"us-ascii"})
"""Charsets whose text is UTF-8. ASCII is a part of it."""
_FORM: Final = b"application/x-www-form-urlencoded"


class Unreadable(Exception):
    """A request body that was refused. The text of the exception is ours alone."""


class BadBody(Unreadable):
    """Not the JSON that was asked for; the text says what is wrong."""


class TooLarge(Unreadable):
    """More bytes than this endpoint takes."""

    def __init__(self, limit: int, *, unread: bool = False) -> None:
        super().__init__(f"the body is larger than {limit} bytes")
        self.limit = limit
        self.unread = unread
        """Whether more of the body is on its way (``kiosk.web.unread_body``)."""


class SlowBody(Unreadable):
    """The body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__("the body did not arrive in time")


class NotJson(Unreadable):
    """The sender says, or does not say, that this is JSON. A foreign web page can post text/plain, but not JSON."""

    def __init__(self) -> None:
        super().__init__("the Content-Type must be application/json")


class NotAForm(Unreadable):
    """The body is something else than the form that this address takes."""

    def __init__(self) -> None:
        super().__init__("the Content-Type must be application/x-www-form-urlencoded")


class OtherCharset(Unreadable):
    """The sender says that the text is not UTF-8."""

    def __init__(self) -> None:
        super().__init__("the charset of the Content-Type must be utf-8")


class Encoded(Unreadable):
    """The body is compressed."""

    def __init__(self) -> None:
        super().__init__("the body must be sent without a Content-Encoding")


class SenderGone(Unreadable):
    """The connection ended in the middle of the body: there is nobody to answer."""

    def __init__(self) -> None:
        super().__init__("the connection ended before the body did")


def require_json(content_type: bytes | None, *, missing_ok: bool = False) -> None:
    """Raise ``NotJson`` unless the header names JSON; ``missing_ok`` only where no browser can be the sender."""
    if content_type == b"application/json" or (missing_ok and not content_type):
        return
    if not content_type or not is_json(content_type):
        raise NotJson
    _require_utf8(content_type)


def is_json(content_type: bytes) -> bool:
    """Whether the header names JSON, or a format that is written in JSON."""
    essence = _essence(content_type)
    return essence == b"application/json" or (essence.startswith(b"application/") and essence.endswith(b"+json"))


def require_form(content_type: bytes) -> None:
    """Raise ``NotAForm`` unless the header names a form of fields: the other kinds that browsers send hold files."""
    if _essence(content_type) != _FORM:
        raise NotAForm
    _require_utf8(content_type)


def _essence(content_type: bytes) -> bytes:
    return content_type.partition(b";")[0].strip().lower()


def _require_utf8(content_type: bytes) -> None:
    """Raise ``OtherCharset`` when the header names one. JSON between systems is UTF-8 (RFC 8259, section 8.1)."""
    if not all(charset.lower() in _UTF8 for _, charset in _CHARSET.findall(content_type)):
        raise OtherCharset


def require_plain(content_encoding: bytes | None) -> None:
    """Raise ``Encoded`` for a compressed body (RFC 9110, section 8.4): we read none."""
    if content_encoding and content_encoding.strip().lower() not in (b"identity", b""):
        raise Encoded


def check_shape(body: bytes) -> None:
    """Raise ``BadBody`` for bytes that no parser should see: not UTF-8, or brackets too deep. Linear in time."""
    if not body.isascii():
        try:
            body.decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise BadBody(_other_encoding(body) or "the body is not UTF-8") from None
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX and not _shallow(body):
        raise BadBody(f"the body nests deeper than {DEPTH_MAX} levels, or its brackets do not match")


def _other_encoding(body: bytes) -> str:
    """Says that the body is UTF-16 or UTF-32. Their first characters of JSON hold zeroes, or a byte order mark does."""
    if b"\0" in body[:4] or body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "the body is UTF-16 or UTF-32: send UTF-8"
    return ""


def repaired(body: bytes) -> bytes:
    """The same JSON without what RFC 8259 lets senders write and parsers refuse: a byte order mark before it, and
    halves of surrogate pairs (a name that was cut inside an emoji has one), which become U+FFFD.
    """
    return _ESCAPES.sub(lambda found: b"\\ufffd" if found[1] else found[0], body.removeprefix(_MARK))


def _shallow(body: bytes) -> bool:
    """Whether the brackets outside strings close within the depth: each pass removes the innermost level."""
    brackets = _OPENING.sub(b"", _STRINGS.sub(b"", body)).translate(_CURLY)
    for _ in range(DEPTH_MAX):
        if not brackets:
            return True
        brackets = brackets.replace(b"{}", b"")
    return not brackets


def decode_strictly(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """The value, or ``BadBody`` that names the wrong field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise BadBody(_what(wrong)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadBody(_other_encoding(body) or "the body is not well-formed JSON") from None
    except RecursionError:  # a decoder's own type may nest deeper than the interpreter's stack has left
        raise BadBody("the body nests too deep") from None


def _what(wrong: msgspec.ValidationError) -> str:
    found = _WHERE.search(str(wrong))
    return f"the body has an unexpected or missing value at {found[1] if found else '$'}"


def parse(
    body: bytes,
    decoder: "msgspec.json.Decoder[T]",
    decode: "Callable[[bytes, msgspec.json.Decoder[T]], T]" = decode_strictly,
) -> T:
    """The value that ``decoder`` makes of the body, or ``BadBody``. ``decode``: how a value that does not fit is
    taken.
    """
    check_shape(body)
    try:
        return decode(body, decoder)
    except BadBody:
        if (again := repaired(body)) == body:
            raise
        return decode(again, decoder)


async def read_body(
    receive: Receive, limit: int, deadline_s: float = DEADLINE_S, *, length: bytes | None = None
) -> bytes:
    """The whole body of a raw ASGI request. Raises ``TooLarge``, ``SlowBody`` or ``SenderGone``.

    ``length`` is the Content-Length header: a body that has reached it is whole, whatever the server says of more to
    come (Granian tells the end of every body in a message of its own, and waiting for that costs a turn).
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (a coroutine that runs is in a task; says so to the type checker)
    _patience.begin(task, deadline_s)
    try:
        message = await receive()
        body: bytes = message.get("body", b"")
        whole = not message.get("more_body", False) or (length is not None and length == b"%d" % len(body))
        if whole and message["type"] == "http.request":
            if len(body) > limit:
                raise TooLarge(limit)
            return body
        return await _gather(message, receive, limit)
    except asyncio.CancelledError:
        if _patience.was_late(task) and not task.uncancel():
            raise SlowBody from None
        raise
    finally:
        _patience.end(task)


class _Patience:
    """Cancels whoever reads too long. One look every so often for all of them: a timer for each body costs as much as
    reading it, and a tenth of a deadline more hurts nobody.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        """The one whose next look is planned."""
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()

    def begin(self, task: "asyncio.Task[Any]", deadline_s: float) -> None:
        loop = task.get_loop()
        self._ends[task] = loop.time() + deadline_s
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(deadline_s / 10, self._look, loop, deadline_s / 10)

    def _look(self, loop: asyncio.AbstractEventLoop, again_s: float) -> None:
        now = loop.time()
        for task, ends in self._ends.items():
            if now > ends and task not in self._late and task.get_loop() is loop:
                self._late.add(task)
                task.cancel()
        if self._ends:
            loop.call_later(again_s, self._look, loop, again_s)
        elif self._loop is loop:
            self._loop = None

    def was_late(self, task: "asyncio.Task[Any]") -> bool:
        return task in self._late

    def end(self, task: "asyncio.Task[Any]") -> None:
        del self._ends[task]
        self._late.discard(task)


_patience: Final = _Patience()


async def _gather(message: Any, receive: Receive, limit: int) -> bytes:
    """Collect the parts. Past the limit the sender is answered at once, whether or not it has finished writing."""
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise SenderGone
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > limit:
            raise TooLarge(limit, unread=more)
        parts.append(part)
        if not more:
            return b"".join(parts)
        message = await receive()
