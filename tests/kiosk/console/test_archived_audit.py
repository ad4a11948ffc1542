"""The page *Audit* goes on in the archive where the store ends; reading it there is an act itself."""

import re
from datetime import UTC, datetime

import pytest

from kiosk.archive import audit_chain
from kiosk.archive.audit_chain import AuditLine
from kiosk.archive.database import ArchiveAway, Database
from kiosk.services.web import Services
from tests.kiosk.console.figures_pages import app
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, browser, ready_login

pytestmark = pytest.mark.anyio
__all__ = ["app"]
APRIL = int(datetime(2026, 4, 1, 18, 29, tzinfo=UTC).timestamp() * 1000)
"""The last minute of 1 April in India."""


@pytest.fixture
async def admin(app: object, services: Services, database: Database) -> Browser:
    """An administrator of a hospital whose archive has 102 old lines, of two days; and a line of another hospital."""
    lines = [
        AuditLine(
            hip_id=HIP, at_ms=APRIL + (number > 0) * 120_000 + number, act="ticket.called", by="asha",
            address="10.0.0.1", ticket="20500-1", why=f"old line {number}", entry=f"e{number}",
        )
        for number in range(102)
    ]  # fmt: skip
    foreign = AuditLine(
        hip_id=OTHER_HIP, at_ms=APRIL, act="x", by="x", address="", ticket="", why="of another hospital", entry="o"
    )
    with database.writing() as connection:
        audit_chain.append(connection, [*lines, foreign])
    await ready_login(services.staff, "imran", HIP, "admin")
    one = browser(app)  # type: ignore[arg-type]  # the application
    await one.sign_in("imran")
    return one


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"<bdi>old line (\d+)", page)]


async def test_older_lines_come_from_the_archive_by_day_and_page(admin: Browser, services: Services) -> None:
    first = (await admin.get("/console/audit")).text
    assert shown(first) == []
    today = datetime.now(UTC).year
    assert re.search(rf'href="/console/audit\?day={today}-\d\d-\d\d">Older', first), "the archive goes on"
    assert shown((await admin.get("/console/audit?day=2026-04-01")).text) == [0], "days are the facility's"
    newest = (await admin.get("/console/audit?day=2026-04-02")).text
    assert shown(newest) == list(range(101, 1, -1))
    assert "of another hospital" not in newest
    older = newest.partition('href="/console/audit?line=')[2].partition('"')[0]
    last = (await admin.get(f"/console/audit?line={older}")).text
    assert shown(last) == [1, 0]
    assert "Older" not in last
    assert shown((await admin.get("/console/audit?day=2026-04-02&login=bilal")).text) == []
    reads = [entry.why for entry in reversed(await services.audit.read(HIP)) if entry.kind == "audit_read"]
    assert reads == ["", "until 2026-04-01", "until 2026-04-02", f"before line {older}", "bilal until 2026-04-02"]


async def test_what_is_no_day_shows_the_newest_entries_and_says_so(admin: Browser) -> None:
    for day in ("2026-02-30", "yesterday", "1066-01-01"):
        page = (await admin.get("/console/audit", params={"day": day})).text
        assert "This is no day such as 2026-04-01" in page, day
        assert shown(page) == []


async def test_while_the_archive_is_away_the_page_says_so(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise ArchiveAway

    monkeypatch.setattr(Database, "ask", away)
    answer = await admin.get("/console/audit?day=2026-04-02")
    assert answer.status_code == 200
    assert "Older entries cannot be read now" in answer.text
    assert "Older entries" not in (await admin.get("/console/audit")).text
