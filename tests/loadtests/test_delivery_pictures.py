"""What is found when a program was told wrongly: an event lost, out of order, unlike the queue; a person not named."""

from pathlib import Path
from typing import Any

from msgspec import json

from loadtests.delivery.pictures import Ticket, TicketKey, differences, picture_of, unlike_ledger, who_came

HIP = "IN0100000001"
TICKET: Ticket = {"id": "20000-1", "token_number": "M-001", "state": "waiting", "calls": 0, "ahead": 3, "links": None}
A04 = (
    "MSH|^~\\&|KIOSK|IN0100000001|||20261128||ADT^A04^ADT_A01|1|P|2.5\x1e"
    "PID|1||91^^^ABDM^HIN~meena@sbx^^^ABDM^ABHA||Meena^^^^^^L\x1eZSS|1|M-001|20000-1\n"
)


def event(number: int, kind: str, **changed: Any) -> dict[str, Any]:
    cursor = f"{number}-0"
    ticket = TICKET | changed
    return {"id": f"k-{cursor}", "type": kind, "facility": HIP, "cursor": cursor, "data": {"ticket": ticket}}


CREATED = event(1, "ticket.created")
CALLED = event(2, "ticket.called", state="called", calls=1)
DONE = event(3, "ticket.done", state="done", calls=1)
QUEUE: dict[TicketKey, Ticket] = {(HIP, "20000-1"): TICKET | {"state": "done", "calls": 1, "ahead": None}}


def wrong_with(tmp_path: Path, *events: dict[str, Any] | bytes) -> list[str]:
    journal = tmp_path / "journal"
    lines = (one if isinstance(one, bytes) else json.encode(one) for one in events)
    journal.write_bytes(b"".join(line + b"\n" for line in lines))
    return differences(picture_of(journal), QUEUE)


def test_a_program_that_heard_all_in_order_differs_in_nothing_also_when_events_came_again(tmp_path: Path) -> None:
    assert wrong_with(tmp_path, CREATED, CALLED, CREATED, CALLED, DONE, DONE) == []


def test_an_event_that_is_missing_or_twice_under_two_ids_is_found(tmp_path: Path) -> None:
    assert "called" not in str(wrong_with(tmp_path, CREATED, CALLED, DONE))
    assert wrong_with(tmp_path, CREATED, DONE) == [
        f"M-001 at {HIP}: 1 calls, events " + str({"ticket.created": 1, "ticket.done": 1})
    ]
    assert wrong_with(tmp_path, CREATED, CALLED) == [f"M-001 at {HIP}: state 'called', in the queue 'done'"]
    again = CREATED | {"id": "k-1-0.1"}
    assert f"M-001 at {HIP} was created 2 times" in wrong_with(tmp_path, CREATED, again, CALLED, DONE)


def test_events_of_a_ticket_in_another_order_are_found(tmp_path: Path) -> None:
    found = wrong_with(tmp_path, CREATED, DONE, CALLED)
    assert "ticket.called of M-001 came after a later event of its ticket" in found


def test_a_ticket_that_only_one_side_knows_and_a_forged_event_are_found(tmp_path: Path) -> None:
    assert wrong_with(tmp_path) == [f"{(HIP, '20000-1')}: not heard of"]
    found = wrong_with(
        tmp_path, CREATED, CALLED, DONE, b"refused: not signed as agreed", event(4, "ticket.created", id="x")
    )
    assert found == ["a line that is no event: b'refused: not signed as agreed'", f"{(HIP, 'x')}: not in the queue"]


def test_who_came_by_hl7_is_compared_with_the_gateway(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_text(A04 + A04.replace("A04", "A08"))
    came, messages = who_came(journal)
    assert (came, messages) == ({(HIP, "M-001"): {"meena@sbx"}}, 2)
    share = {"hip_id": HIP, "token": "M-001", "abha_address": "meena@sbx", "settled_ms": 1}
    assert unlike_ledger(came, [share]) == []
    assert len(unlike_ledger(came, [share | {"abha_address": "asha@sbx"}])) == 1
    assert len(unlike_ledger(came, [share, share | {"token": "M-002"}])) == 1
    assert len(unlike_ledger(came, [share | {"settled_ms": 0}])) == 1
