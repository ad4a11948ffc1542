"""Makes broken input from correct input. All random choices come from the given generator, so a seed repeats a run."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

DEEP: Final = 2_000
"""Levels of a nested list: far more than any of our decoders accepts."""
LONG: Final = 20_000
"""Characters of a long text: below the largest body, far above the limit of every field."""
BYTES_CHANGED_MAX: Final = 12

_ODD: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 1e308, 2**63, 10**40, "", " ", "\0", "\x1b[2J", "\u202e", "\u200d" * 40, "\u115f", "19**",
    "987654XXXX", "९८७६", "۶۷", "-0", "NaN", "../../etc/passwd", "{{7*7}}", "<script>", "'; --", "=1+1", "%00", [], {},
    [[]], {"": {}}, "1970-02-30", "0000-00-00", "31/12/1990", "A" * 300, "क्ष" * 90,
)  # fmt: skip
"""Values that are known to break programs."""


def spoiled(value: Any, draw: Random) -> Any:
    """The same shape with one or more values, names or members changed."""
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        value = _change(value, draw)
    return value


def _change(value: Any, draw: Random) -> Any:
    if isinstance(value, dict) and value and draw.random() < 0.85:
        name = draw.choice(list(value))
        kind = draw.random()
        if kind < 0.08:
            return {key: inner for key, inner in value.items() if key != name}
        if kind < 0.12:
            return {**value, odd_text(draw): value[name]}
        return {**value, name: _change(value[name], draw)}
    if isinstance(value, list) and value and draw.random() < 0.7:
        at = draw.randrange(len(value))
        return [*value[:at], _change(value[at], draw), *value[at + 1 :]]
    if draw.random() < 0.2:
        return odd_text(draw)
    return draw.choice(_ODD)


def odd_text(draw: Random) -> str:
    """Text of any Unicode characters except surrogates. Those are inserted into the bytes."""
    length = draw.choice((0, 1, 3, 17, 65, 251, LONG if draw.random() < 0.02 else 300))
    ranges = ((0, 0x20), (0x20, 0x7F), (0x600, 0x700), (0x900, 0x980), (0x2000, 0x2070), (0x1F600, 0x1F640))
    low, high = draw.choice(ranges)
    return "".join(chr(draw.randrange(low, high)) for _ in range(length))


def in_bytes(value: Any, draw: Random) -> bytes:
    """The JSON of ``value``, sometimes with bytes changed, cut off or doubled, or nested very deeply."""
    body = msgspec.json.encode(value)
    kind = draw.random()
    if kind < 0.6:
        return body
    if kind < 0.75:
        return _bytes_changed(body, draw)
    return draw.choice(_WHOLE)(body, draw)


def _bytes_changed(body: bytes, draw: Random) -> bytes:
    changed = bytearray(body)
    for _ in range(draw.randint(1, BYTES_CHANGED_MAX)):
        if changed:
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


_WHOLE: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    lambda body, draw: body[: draw.randrange(len(body) + 1)],
    lambda body, draw: body + body,
    lambda body, draw: b"\xef\xbb\xbf" + body,
    lambda body, draw: b"[" * DEEP + b"]" * DEEP,
    lambda body, draw: body.replace(b'"', b"'"),
    lambda body, draw: body.replace(b':"', b':"\\ud800', 1),
    lambda body, draw: body.decode("utf-8", "replace").encode("utf-16"),
    lambda body, draw: b"",
    lambda body, draw: draw.randbytes(draw.randrange(400)),
)
