"""Who did and read what: each act stands in the audit, and reading too many profiles raises an alarm."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.accounts.service import login_ending
from kiosk.console import messages
from kiosk.console.audit_page import SHOWN
from kiosk.console.desk_view import PROFILES_IN_TEN_MINUTES
from kiosk.observability import metrics
from kiosk.patient.person import Patient
from kiosk.services.web import Services
from queueing.audit import NO_FACILITY, AuditEntry
from queueing.errors import StoreAway
from queueing.store.connection import SharedConnection
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive, ready_login

pytestmark = pytest.mark.anyio

ADMIN_ACTS = ("queue", "default", "counter", "policy", "text", "facility")
SECRET = Patient(name="Rukhsana Begum", phone="9419000001", abha_number="91123412341234")


async def acts(services: Services, hip: str = HIP) -> list[tuple[str, str, str]]:
    """(kind, login, why), oldest first."""
    return [(entry.kind, entry.by, entry.why) for entry in reversed(await services.audit.read(hip))]


async def test_a_good_and_a_bad_sign_in_are_recorded_with_their_address(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    await stranger.sign_in("asha", "wrong")
    await stranger.sign_in("asha")
    bad, good = reversed(await services.audit.read(HIP))
    assert (bad.kind, bad.by, bad.address, bad.why) == ("sign_in_refused", "asha", "10.1.2.3", "wrong password")
    assert (good.kind, good.by, good.address) == ("sign_in", "asha", "10.1.2.3")


async def test_what_was_typed_as_an_unknown_login_is_not_written_down(stranger: Browser, services: Services) -> None:
    await stranger.sign_in("lantern orchard drizzle", "wrong")
    assert await acts(services, NO_FACILITY) == [("sign_in_refused", "", "unknown login")]


async def test_settings_logins_and_resets_are_recorded_by_who_made_them(admin: Browser, services: Services) -> None:
    await admin.send_form("/console/admin/queue-open", id="medicine", open="0")
    await admin.send_form("/console/admin/staff", login="newcomer", name="New", role="clerk")
    newcomer = "newcomer" + login_ending(HIP)
    await admin.send_form("/console/admin/reset", login=newcomer)
    await admin.send_form("/console/admin/disable", login=newcomer, disabled="1")
    await admin.send_form("/console/admin/sign-out", login=newcomer)
    assert await acts(services) == [
        ("sign_in", "imran", ""),
        ("admin_queue-open", "imran", "medicine"),
        ("admin_staff", "imran", newcomer),
        ("admin_reset", "imran", newcomer),
        ("admin_disable", "imran", newcomer),
        ("admin_sign-out", "imran", newcomer),
    ]


async def test_a_refused_clerk_is_recorded(clerk: Browser, services: Services) -> None:
    assert (await clerk.get("/console/admin")).status_code == 403
    assert ("refused", "asha", "administrator's page") in await acts(services)


async def test_each_profile_read_is_recorded_once_in_ten_minutes_without_name_or_number(
    clerk: Browser, services: Services
) -> None:
    place = await arrive(services.check_in, SECRET)
    for _ in range(3):
        answer = await clerk.ask("/console/desk/patient", ticket=place.ticket)
        assert answer.json()["ticket"]["name"] == SECRET.name
    entries = [entry for entry in await services.audit.read(HIP) if entry.kind == "profile_read"]
    assert [(entry.by, entry.ticket, entry.address) for entry in entries] == [("asha", place.ticket, "10.1.2.4")]
    written = repr(await services.audit.read(HIP))
    assert not any(part in written for part in ("Rukhsana", SECRET.phone, SECRET.abha_number))


async def test_drawing_the_list_is_recorded_once_for_a_counter(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, SECRET)
    for counter in ("M1", "M1", "M2"):
        await clerk.desk(counter)
    assert [act for act in await acts(services) if act[0] == "list_read"] == [
        ("list_read", "asha", "M1"),
        ("list_read", "asha", "M2"),
    ]


async def test_a_profile_that_cannot_be_recorded_is_not_shown(
    clerk: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await arrive(services.check_in, SECRET)

    async def away(*_: Any, **__: Any) -> None:
        raise StoreAway

    monkeypatch.setattr(type(services.audit), "envelopes", away)
    answer = await clerk.ask("/console/desk/patient", ticket=place.ticket)
    assert answer.status_code == 503
    assert SECRET.name not in answer.text


async def test_a_session_that_reads_profiles_in_a_row_raises_one_alarm(
    clerk: Browser, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    before = metrics.PROFILE_ALARMS._value.get()
    places = [await arrive(services.check_in, f"Patient {number}") for number in range(PROFILES_IN_TEN_MINUTES + 5)]
    for place in places[:PROFILES_IN_TEN_MINUTES]:
        await clerk.ask("/console/desk/patient", ticket=place.ticket)
    assert metrics.PROFILE_ALARMS._value.get() == before
    for place in places[PROFILES_IN_TEN_MINUTES:]:
        await clerk.ask("/console/desk/patient", ticket=place.ticket)
    assert metrics.PROFILE_ALARMS._value.get() == before + 1
    assert "see the audit" in caplog.text


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Commands that go over the shared connection, by name."""
    sent: list[str] = []
    send = SharedConnection.send

    def count(self: SharedConnection, command: Any) -> Any:
        sent.append(" ".join(str(part, "ascii") if isinstance(part, bytes) else str(part) for part in command[:2]))
        return send(self, command)

    monkeypatch.setattr(SharedConnection, "send", count)
    return lambda: sent


async def test_one_key_press_costs_two_round_trips(
    clerk: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Session; then the move with the profile and its record."""
    for number in range(3):
        await arrive(services.check_in, f"Patient {number}")
    await clerk.ask("/console/desk/next", counter="M1", seen="")
    sent = counted(monkeypatch)
    answer = await clerk.ask("/console/desk/next", counter="M1")
    assert answer.json()["outcome"] == "MOVED"
    names = [name.partition(" ")[2].rpartition("_")[0] for name in sent()]
    assert [name for name in names if name not in ("", "arrival_hint")] == ["staff_session", "call_next"]


def test_an_entry_has_no_field_for_a_patient() -> None:
    assert set(AuditEntry.__struct_fields__) == {"id", "kind", "by", "address", "ticket", "why"}


async def test_signing_out_is_recorded_here_and_everywhere(clerk: Browser, services: Services) -> None:
    await clerk.send_form("/console/logout-everywhere")
    assert (await acts(services))[-1] == ("sign_out_everywhere", "asha", "")
    await clerk.sign_in("asha")
    await clerk.send_form("/console/logout")
    assert (await acts(services))[-1] == ("sign_out", "asha", "")


async def test_a_request_from_a_foreign_page_is_recorded(clerk: Browser, stranger: Browser, services: Services) -> None:
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    assert (await clerk.post("/console/logout", headers=foreign)).status_code == 403
    assert (await acts(services))[-1] == ("refused", "asha", "request from another page")
    login = {"login": "asha", "password": "x"}
    assert (await stranger.post("/console/login", data=login, headers=foreign)).status_code == 403
    assert (await acts(services, NO_FACILITY))[-1] == ("refused", "", "request from another page")


async def test_the_page_shows_the_facilitys_acts_in_its_time_and_opening_it_is_an_act(
    admin: Browser, clerk: Browser, services: Services
) -> None:
    await services.audit.record(OTHER_HIP, "admin_policy", by="somebody.else")
    await clerk.get("/console/admin")
    page = (await admin.get("/console/audit")).text
    at_ms = int((await services.audit.read(HIP))[-1].id.partition("-")[0])
    zone = ZoneInfo(services.settings.timezone)
    assert datetime.fromtimestamp(at_ms / 1000, zone).strftime("%d-%m %H:%M") in page
    assert page.index("<td>refused</td>") < page.index("<td>signed in</td>")
    assert "somebody.else" not in page
    assert (await acts(services))[-1] == ("audit_read", "imran", "")
    assert "opened the audit" in (await admin.get("/console/audit")).text


async def test_the_page_shows_the_number_of_a_ticket_as_people_know_it(
    admin: Browser, clerk: Browser, services: Services
) -> None:
    place = await arrive(services.check_in, SECRET)
    await clerk.ask("/console/desk/patient", ticket=place.ticket)
    await services.audit.record(HIP, "profile_read", by="asha", ticket="1-7")
    page = (await admin.get("/console/audit")).text
    assert f">{place.token}<" in page
    assert place.ticket not in page
    assert ">1-7<" in page


async def test_acts_of_logins_and_of_settings_stand_in_one_list_in_their_order(
    admin: Browser, services: Services
) -> None:
    for number in range(3):
        await admin.send_form("/console/admin/queue-open", id="medicine", open=str(number % 2))
        await admin.send_form("/console/admin/disable", login="nobody-here", disabled="1")
        await admin.send_form("/console/admin/staff", login=f"number{number}", role="clerk")
    kinds = [kind for kind, _, _ in await acts(services)]
    assert kinds == ["sign_in", *["admin_queue-open", "admin_staff"] * 3]
    pages, before = [], "+"
    while page := await services.audit.read(HIP, before=before, limit=2):
        pages += page
        before = page[-1].id
    assert pages == await services.audit.read(HIP)


async def test_a_change_that_was_refused_leaves_no_entry(admin: Browser, services: Services) -> None:
    await admin.send_form("/console/admin/default", id="unknown")
    await admin.send_form("/console/admin/reset", login="unknown")
    await admin.send_form("/console/admin/resend", id="1-1")
    assert [kind for kind, _, _ in await acts(services)] == ["sign_in"]


async def test_act_and_entry_are_one_call_to_the_store(
    admin: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends between two calls would leave an act without its entry."""
    sent = counted(monkeypatch)
    await admin.send_form("/console/admin/queue-open", id="medicine", open="0")
    await admin.send_form("/console/admin/disable", login="imran", disabled="0")
    await admin.sign_in("imran")
    await admin.send_form("/console/logout")
    assert not [name for name in sent() if "audit" in name]
    kinds = [kind for kind, _, _ in await acts(services)]
    assert kinds == ["sign_in", "admin_queue-open", "admin_disable", "sign_in", "sign_out"]


async def test_a_filter_shows_one_login_over_pages(admin: Browser, services: Services) -> None:
    for number in range(SHOWN + 5):
        await services.audit.record(HIP, "profile_read", by="asha", ticket=f"1-{number}")
        await services.audit.record(HIP, "profile_read", by="bilal", ticket=f"2-{number}")
    first = (await admin.get("/console/audit", params={"login": "Asha"})).text
    assert first.count("<td><bdi>asha</bdi></td>") == SHOWN
    assert "<td><bdi>bilal</bdi></td>" not in first
    older = first.partition('href="/console/audit?before=')[2].partition('"')[0].replace("&amp;", "&")
    second = (await admin.get(f"/console/audit?before={older}")).text
    assert second.count("<td><bdi>asha</bdi></td>") == 5
    assert ">1-0<" in second
    assert "before=" not in second
    assert re.search(r'href="/console/audit\?day=[-0-9]{10}&amp;login=asha">Older', second), "the archive goes on"
    assert (await acts(services))[-1] == ("audit_read", "imran", "asha")


async def test_every_recorded_act_has_words_on_the_page() -> None:
    recorded = {f"admin_{act}" for act in messages.ADMIN_DONE if act in ADMIN_ACTS}
    for file in [*Path("kiosk").rglob("*.py"), *Path("queueing/functions").rglob("*.lua")]:
        text = file.read_text("utf-8")
        recorded |= set(re.findall(r"""record\([^()]*?, "([a-z_]+)", by""", text))
        recorded |= set(re.findall(r"""kind="([a-z_]+)", by=""", text))
        recorded |= set(re.findall(r"""\bact\("([a-z_-]+)""", text))
        recorded |= set(re.findall(r"""_act\(by, "([a-z_-]+)""", text))
        recorded |= set(re.findall(r"""record_act\(facility, '([a-z_]+)'""", text))
        recorded |= set(re.findall(r"""note_reading\([^)]*'([a-z]+_read)'""", text))
    assert {"sign_in", "refused", "person_erased", "list_read", "audit_read"} <= recorded
    assert recorded <= set(messages.AUDIT_ACTS)
