"""What is sent, and what came of one try: the words that senders and couriers share."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from kiosk.exchange.profile_json import ProfileJson
from kiosk.exchange.ticket_json import LinksJson
from queueing.targets import Target

TRY_S: Final = 10.0
"""For one try, all of it: resolve, connect, send, answer."""
ANSWER_MAX: Final = 4096
"""Bytes of an answer that are read."""
LINE_MAX: Final = 120
"""Characters of an answer's first line that are kept."""
_DIGITS: Final = re.compile(r"\d[\d\s-]{6,}\d")
"""A phone number or an ABHA number, however it is grouped."""
_ADDRESS: Final = re.compile(r"\S+@\S+")
HIDDEN: Final = "…"


class Result(StrEnum):
    """What one try came to."""

    DELIVERED = "delivered"
    FAILED = "failed"
    SWITCHED_OFF = "switched_off"
    """The receiver said 410: it wants nothing more."""


class Message(Struct, frozen=True, kw_only=True):
    """One event as one target gets it."""

    event_id: str
    event_type: str
    cursor: str
    body: bytes
    private: tuple[str, ...] = ()
    """Words of the person in the body: an answer that repeats one is not kept as it is."""


class Attempt(Struct, frozen=True, kw_only=True):
    """What one try came to."""

    result: Result
    status: str
    """HTTP status, HL7 verdict, or what went wrong before an answer."""
    answer: str = ""
    """First line of the answer, without what may be a patient's."""


class Sender(Protocol):
    """Sends one message once. Raises nothing but cancellation."""

    async def send(self, target: Target, message: Message) -> Attempt: ...


def private_words(profile: ProfileJson | None, links: LinksJson | None) -> tuple[str, ...]:
    """The words by which an answer could repeat a profile, or the hospital's own numbers."""
    texts: list[str | None] = [links.patient_id, links.visit_id, links.url] if links else []
    if profile is not None:
        texts += [profile.name, profile.abha_address, profile.abha_number, profile.phone]
        address = profile.address
        texts += [address.line, address.district, address.pincode] if address else []
    return tuple({word.lower() for text in texts if text for word in text.split() if len(word) > 1})


def first_line(body: bytes, private: Iterable[str] = ()) -> str:
    """The first line of an answer, in one line, without numbers, addresses and words that may be a patient's."""
    lines = body.decode("utf-8", "replace").strip().splitlines()
    text = "".join(char if char.isprintable() else " " for char in lines[0][: 2 * LINE_MAX]) if lines else ""
    text = _ADDRESS.sub(HIDDEN, _DIGITS.sub(HIDDEN, text))
    for word in private:
        text = re.sub(re.escape(word), HIDDEN, text, flags=re.IGNORECASE)
    return text[:LINE_MAX].strip()
