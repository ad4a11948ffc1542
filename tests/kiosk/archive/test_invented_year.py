"""The invented year of ``make history`` is what the program would have written: its sums are those of its rows."""

from datetime import date
from typing import Any

from kiosk.archive import incentive, queries, schema
from kiosk.archive.database import Database
from loadtests.history.__main__ import fill
from tests.kiosk.archive.archived import assert_sums, rows

LAST = date(2026, 3, 31)


def test_an_invented_year_adds_up(database: Database, database_url: str) -> None:
    fill(database_url, facilities=12, tickets=900, last=LAST, seed=5)
    assert_sums(database)
    found = rows(database, schema.tickets)
    assert len(found) == 900
    assert {row["source"] for row in found} >= {"abha_app", "staff"}
    with database.reading() as connection:
        assert incentive.changed_counts(connection, LAST, 1, date(2025, 1, 1)) == [], "counted as the role counts"
        assert incentive_of(found) == {
            (row["hip_id"], row["month"]): row["counted"] for row in rows(database, schema.incentive_counts)
        }
        year = queries.sums(connection, date(2025, 4, 1), LAST)
    monthly = rows(database, schema.monthly_sums)
    assert year["tokens"] == 900 == sum(row["tokens"] for row in monthly)
    named = {row["hip_id"] for row in rows(database, schema.facilities) if row["last_day"]}
    assert named == {row["hip_id"] for row in monthly}
    median = year.wait_min(0.5)
    assert median is not None
    assert 5 < median < 30


def incentive_of(found: list[dict[str, Any]]) -> dict[tuple[str, date], int]:
    """HIP id and month -> accepted shares, one for each person and day. Facilities without one have 0."""
    accepted: dict[tuple[str, date], set[Any]] = {}
    for row in found:
        one = accepted.setdefault((row["hip_id"], row["service_day"].replace(day=1)), set())
        if row["source"] == "abha_app" and row["ack"] == "delivered":
            one.add((row["service_day"], row["person"] or row["number"]))
    return {key: len(persons) for key, persons in accepted.items()}
