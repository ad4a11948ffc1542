"""``kiosk hmis sandbox``: invented people at a facility of their own, and never among real ones."""

import asyncio
import json
from collections import Counter
from pathlib import Path

from kiosk.cli.running import opened
from kiosk.demo.sandbox import HIP_ID, invent
from kiosk.settings import load
from queueing.desk import OpdDesk
from queueing.event_log import Event, EventLog
from queueing.models import State
from tests.kiosk.in_process import kiosk


async def events_of(data_dir: Path) -> tuple[list[Event], list[State]]:
    """The sandbox's event log, and the states of its tickets that still live."""
    async with opened(load({"KIOSK_DATA_DIR": str(data_dir)})) as store:
        page = await EventLog(store).read(HIP_ID, limit=1000)
        return page.events, [ticket.state for ticket in await OpdDesk(store).tickets(HIP_ID)]


def test_invented_people_make_events_of_every_kind_of_visit(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    done = kiosk(data_dir, "hmis", "sandbox", "--patients", "30", "--every", "0", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["facility"] == HIP_ID
    events, living = asyncio.run(events_of(data_dir))
    seen = Counter(event.kind.name.lower() for event in events if event.ticket)
    assert seen["created"] == result["events"]["created"] == 30
    assert {"called", "serving", "done", "held", "no_show", "cancelled", "transferred"} <= seen.keys()
    assert {event.by for event in events if event.ticket} <= {"sandbox", "", "(command line)"}
    assert set(living) <= {State.WAITING, State.NO_SHOW}
    names = ["अनीता", "Zooni", "Ashraf"]
    assert not any(name in done.stdout + done.stderr for name in names)
    again = kiosk(data_dir, "hmis", "sandbox", "--patients", "3", "--every", "0")
    assert again.returncode == 0, again.stderr
    assert "M-031 created" in again.stdout


def test_invented_people_never_join_real_ones(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital").returncode == 0
    refused = kiosk(data_dir, "hmis", "sandbox", "IN01")
    assert refused.returncode == 1
    assert "IN01 is a facility with real people" in refused.stderr
    refused = kiosk(
        data_dir, "hmis", "sandbox", "--patients", "1", "--every", "0", KIOSK_GATEWAY_CLIENT_ID="X",
        KIOSK_GATEWAY_CLIENT_SECRET="y", KIOSK_GATEWAY_URL="https://live.abdm.gov.in",
    )  # fmt: skip
    assert refused.returncode == 1
    assert "connected to a live gateway" in refused.stderr


def test_invented_people_are_the_same_each_time_and_nobody_real() -> None:
    patients = [invent(number, 1) for number in range(300)]
    assert patients == [invent(number, 1) for number in range(300)]
    assert patients != [invent(number, 2) for number in range(300)]
    assert all(one.abha_number.startswith("99") and len(one.abha_number) == 14 for one in patients if one.abha_number)
    assert all(one.phone.startswith("555") and len(one.phone) == 10 for one in patients if one.phone)
    assert len({one.abha_number for one in patients if one.abha_number}) == sum(
        bool(one.abha_number) for one in patients
    )
    assert {bool(one.abha_number) for one in patients} == {bool(one.phone) for one in patients} == {True, False}
    assert {one.month_of_birth is None for one in patients} == {True, False}
