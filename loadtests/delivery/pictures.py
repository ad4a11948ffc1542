"""What each program knows from its journal alone, and how that differs from the queue's own end state."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import hl7
from msgspec import DecodeError, Struct, field, json

TicketKey = tuple[str, str]
"""HIP id and ticket id."""
Ticket = dict[str, Any]
SHOWN: Final = 20
CHANGES_SILENTLY: Final = ("ahead", "links")
"""Fields of a ticket that change without an event of the ticket: others were called; the hospital sent its numbers."""
CALLS: Final = ("ticket.called", "ticket.recalled")


class Picture(Struct, kw_only=True):
    """What one program knows."""

    tickets: dict[TicketKey, Ticket] = field(default_factory=dict)
    """Each ticket after the last of its events that came."""
    events: dict[str, str] = field(default_factory=dict)
    """Id of each event → its type, in the order in which they came first."""
    kinds: dict[TicketKey, Counter[str]] = field(default_factory=dict)
    deliveries: int = 0
    """Lines, with the events that came again."""
    wrong: list[str] = field(default_factory=list)


def picture_of(journal: Path) -> Picture:
    """Read a journal of events as a program does that knows nothing else: an id that it has is left out."""
    picture = Picture()
    last: dict[TicketKey, tuple[int, int, int]] = {}
    for line in journal.read_bytes().splitlines() if journal.exists() else ():
        picture.deliveries += 1
        try:
            event = json.decode(line)
        except DecodeError:
            picture.wrong.append(f"a line that is no event: {line[:60]!r}")
            continue
        if event["id"] in picture.events:
            continue
        picture.events[event["id"]] = event["type"]
        if event["data"]["ticket"] is not None:
            _take(picture, event, last)
    return picture


def _take(picture: Picture, event: dict[str, Any], last: dict[TicketKey, tuple[int, int, int]]) -> None:
    ticket = event["data"]["ticket"]
    key = event["facility"], ticket["id"]
    place = _place(event)
    if place < last.get(key, (0, 0, 0)):
        picture.wrong.append(f"{event['type']} of {ticket['token_number']} came after a later event of its ticket")
    last[key] = max(place, last.get(key, (0, 0, 0)))
    picture.kinds.setdefault(key, Counter())[event["type"]] += 1
    if event["type"].startswith("ticket."):
        picture.tickets[key] = ticket


def _place(event: dict[str, Any]) -> tuple[int, int, int]:
    """Cursor, and the number of the event within its step."""
    ms, _, number = event["cursor"].partition("-")
    within = event["id"].rpartition(event["cursor"])[2].lstrip(".")
    return int(ms), int(number or 0), int(within or 0)


def differences(picture: Picture, queue: dict[TicketKey, Ticket]) -> list[str]:
    """How a picture differs from the queue's own end state."""
    wrong = list(picture.wrong)
    for key in queue.keys() | picture.tickets.keys():
        known, true = picture.tickets.get(key), queue.get(key)
        if known is None or true is None:
            wrong.append(f"{key}: {'not heard of' if known is None else 'not in the queue'}")
            continue
        unlike = [
            f"{name} {known[name]!r}, in the queue {true[name]!r}"
            for name in true
            if name not in CHANGES_SILENTLY and known.get(name) != true[name]
        ]
        wrong += [f"{true['token_number']} at {key[0]}: {', '.join(unlike)}"] if unlike else []
        kinds = picture.kinds[key]
        if kinds["ticket.created"] != 1:
            wrong.append(f"{true['token_number']} at {key[0]} was created {kinds['ticket.created']} times")
        if sum(kinds[name] for name in CALLS) != true["calls"]:
            wrong.append(f"{true['token_number']} at {key[0]}: {true['calls']} calls, events {dict(kinds)}")
    return wrong


def who_came(journal: Path) -> tuple[dict[tuple[str, str], set[str]], int]:
    """From HL7 alone: facility and token → the ABHA addresses that were registered with it; and how many messages."""
    came: dict[tuple[str, str], set[str]] = {}
    lines = journal.read_bytes().splitlines() if journal.exists() else []
    for line in lines:
        message = hl7.parse(line.replace(b"\x1e", b"\r").decode() + "\r")
        header, patient, token = message.segment("MSH"), message.segment("PID"), message.segment("ZSS")
        if str(header[9][0][1]) != "A04":
            continue
        addresses = {str(one[0]) for one in patient[3] if len(one) > 4 and str(one[4]) == "ABHA"}
        came.setdefault((str(header[4]), str(token[2])), set()).update(addresses)
    return came, len(lines)


def unlike_ledger(
    came: dict[tuple[str, str], set[str]], ledger: Iterable[dict[str, Any]]
) -> list[str]:  # fmt: skip
    """How those who came by HL7 differ from those to whom the gateway gave a number."""
    settled: dict[tuple[str, str], set[str]] = {}
    for share in ledger:
        if share["settled_ms"] and share["token"]:
            settled.setdefault((share["hip_id"], share["token"]), set()).add(share["abha_address"])
    keys = settled.keys() | came.keys()
    return [
        f"{key}: by HL7 {sorted(came.get(key, ()))}, by the gateway {sorted(settled.get(key, ()))}"
        for key in sorted(keys)
        if came.get(key) != settled.get(key)
    ]


def brief(wrong: list[str]) -> dict[str, Any]:
    """For a report."""
    return {"differences": len(wrong), "first": wrong[:SHOWN]}
