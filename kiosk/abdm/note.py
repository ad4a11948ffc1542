"""What the answer to a scan needs later: sealed with the place, opened by the relay."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

Form = Literal["v3", "draft", "v1", "v05", "status"]
"""The form of the message; the answer has the same form."""


class Note(Struct, array_like=True, frozen=True, gc=False):
    """What the answer needs. It is sealed before it is stored. New fields go last and have defaults."""

    form: Form
    hip_id: str
    context: str
    """As it came, to be echoed unchanged."""
    abha_address: str
    request_id: str
    """As it came: the gateway looks for exactly this."""


_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(Note)


def write_note(note: Note) -> bytes:
    return _PACK.encode(note)


def read_note(plain: bytes) -> Note:
    return _UNPACK.decode(plain)
