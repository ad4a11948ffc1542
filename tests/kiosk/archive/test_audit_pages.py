"""Pages of the archived audit: newest first, from the end of a day, of all logins or of one, of one facility alone."""

from datetime import UTC, datetime

import pytest

from kiosk.archive import audit_chain, audit_pages
from kiosk.archive.audit_chain import AuditLine
from kiosk.archive.audit_pages import lines_before, number_at
from kiosk.archive.database import Database
from tests.kiosk.archive.rows import HIP

OTHER = "IN0110000456"
HOUR = 3_600_000
NEW_YEAR = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def a_hundred_hours(database: Database) -> Database:
    """One line an hour, of asha and bilal in turn; another facility has one line."""
    lines = [
        AuditLine(
            hip_id=HIP, at_ms=NEW_YEAR + hour * HOUR, act="sign_in", by=("asha", "bilal")[hour % 2], address="10.0.0.1",
            ticket="", why=f"hour {hour}", entry=f"e{hour}",
        )
        for hour in range(100)
    ]  # fmt: skip
    other = AuditLine(hip_id=OTHER, at_ms=NEW_YEAR, act="x", by="x", address="", ticket="", why="secret", entry="o")
    with database.writing() as connection:
        audit_chain.append(connection, [*lines, other])
    return database


def hours(database: Database, number: int, login: str = "", limit: int = 500) -> tuple[list[int], int]:
    with database.reading() as connection:
        found = lines_before(connection, HIP, number, login=login, limit=limit)
        return [int(line.why.partition(" ")[2]) for line in found.lines], found.older


def test_a_day_ends_with_its_last_line(a_hundred_hours: Database) -> None:
    with a_hundred_hours.reading() as connection:
        for hour, number in ((-5, 1), (0, 1), (1, 2), (24, 25), (99, 100), (100, 101), (9999, 101)):
            assert number_at(connection, HIP, NEW_YEAR + hour * HOUR) == number, hour
        assert number_at(connection, HIP, NEW_YEAR + 24 * HOUR + 1) == 26
        assert number_at(connection, "IN9", NEW_YEAR) == 1


def test_the_pages_together_are_every_line_once(a_hundred_hours: Database) -> None:
    found, number = list[int](), 101
    while number:
        page, number = hours(a_hundred_hours, number, limit=7)
        assert 1 <= len(page) <= 7
        found += page
    assert found == list(range(99, -1, -1))
    assert hours(a_hundred_hours, 1) == ([], 0)


def test_one_login_is_found_over_pages_that_look_at_few_lines(
    a_hundred_hours: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hours(a_hundred_hours, 101, "bilal", limit=3) == ([99, 97, 95], 96)
    monkeypatch.setattr(audit_pages, "LOOKED_AT", 10)
    assert hours(a_hundred_hours, 101, "bilal") == ([99, 97, 95, 93, 91], 91)
    assert hours(a_hundred_hours, 51, "nobody") == ([], 41)
    assert hours(a_hundred_hours, 9, "nobody") == ([], 0)


def test_lines_that_expired_end_the_pages(a_hundred_hours: Database) -> None:
    with a_hundred_hours.writing() as connection:
        connection.exec_driver_sql(f"DELETE FROM audit_lines WHERE hip_id = '{HIP}' AND seq <= 90")  # noqa: S608 - ours
    assert hours(a_hundred_hours, 101) == (list(range(99, 89, -1)), 0)
    with a_hundred_hours.reading() as connection:
        assert number_at(connection, HIP, NEW_YEAR + 95 * HOUR) == 96
        assert number_at(connection, HIP, NEW_YEAR) <= 91
