"""What the tests of the pages of figures share: the program on an archive, a state administrator, visits of a day."""

import csv
from collections.abc import AsyncIterator
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from litestar import Litestar

from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.archive.database import Database
from kiosk.services.web import Services
from tests.kiosk.archive.rows import MINUTE, ticket
from tests.kiosk.console.signed_in import Browser, browser, build_hospitals, opened_app, ready_login, services_of

DAY = date(2026, 9, 21)
KOLKATA = ZoneInfo("Asia/Kolkata")
QUERY = {"from": "2026-09-21", "to": "2026-09-21"}


def at(day: date, hour: int, minute: int = 0) -> int:
    """Unix ms of this time in the hospital."""
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=KOLKATA).timestamp() * 1000)


def visit(number: int, hour: int, wait_min: int, service_min: float, **changed: object) -> dict[str, object]:
    """Somebody who arrived at this hour, was called after so many minutes and stayed so long."""
    day = changed.get("service_day", DAY)
    assert isinstance(day, date)
    came = at(day, hour)
    times = {
        "service_day": day, "hour": hour, "arrived_ms": came, "called_first_ms": came + wait_min * MINUTE,
        "called_last_ms": came + wait_min * MINUTE, "started_ms": came + wait_min * MINUTE,
        "ended_ms": came + wait_min * MINUTE + int(service_min * MINUTE), "ack_at_ms": came + 800,
    }  # fmt: skip
    return ticket(number, **(times | changed))


async def table(page: Browser, name: str, **query: str) -> list[list[str]]:
    """One table of the page as its CSV."""
    answer = await page.get(f"/console/today/csv/{name}", params=query or QUERY)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.fixture
async def app(valkey_url: str, folder: Path, database: Database) -> AsyncIterator[Litestar]:
    """The program on this archive, with two hospitals and nobody there."""
    url = database.url.render_as_string(hide_password=False)
    async with opened_app(valkey_url, folder, KIOSK_ARCHIVE_URL=url) as opened:
        services = services_of(opened)
        await services.store.each_primary("FLUSHALL")
        await services.seal.refresh(services.day_keys)
        await build_hospitals(services)
        yield opened


@pytest.fixture
async def overseer(app: Litestar, services: Services) -> AsyncIterator[Browser]:
    """A state administrator who has chosen no facility."""
    await ready_login(services.staff, "omar", EVERY_FACILITY, "admin")
    async with browser(app, address="10.1.2.6") as one:
        assert (await one.sign_in("omar")).status_code == 303
        yield one
