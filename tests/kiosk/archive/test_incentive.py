"""What the incentive pays for is counted again when a month has changed, and stays when its rows were deleted."""

import csv
from datetime import date
from io import StringIO
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kiosk.archive import incentive, schema
from kiosk.archive.database import Database
from kiosk.archive.incentive import changed_counts, lines_csv, save_counts
from kiosk.archive.review_queries import Scope, numbers
from tests.kiosk.archive.archived import rows
from tests.kiosk.archive.rows import HIP, insert_day, ticket

TODAY = date(2026, 9, 21)
OLDEST = date(2025, 1, 1)
OTHER = "IN0110000456"


def count(database: Database, oldest: date = OLDEST) -> int:
    """One step of the archive role; returns how many facility months were counted."""
    with database.reading() as connection:
        counts = changed_counts(connection, TODAY, 1, oldest)
    with database.writing() as connection:
        save_counts(connection, counts)
    return len(counts)


def stored_counts(database: Database) -> dict[tuple[date, str], tuple[int, int]]:
    found = rows(database, schema.incentive_counts)
    return {(row["month"], row["hip_id"]): (row["shares"], row["counted"]) for row in found}


def test_a_changed_month_is_counted_again_and_others_are_left(database: Database) -> None:
    person = {"person": b"p" * 16}
    insert_day(database, ticket(1, **person), ticket(2, **person), ticket(3, hip_id=OTHER, ack=""))
    september = date(2026, 9, 1)
    assert count(database) == 2
    assert stored_counts(database) == {(september, HIP): (2, 1), (september, OTHER): (0, 0)}
    assert count(database) == 0, "nothing changed"
    insert_day(database, ticket(4), ticket(5, service_day=date(2026, 8, 3)))
    assert count(database) == 2
    assert stored_counts(database)[september, HIP] == (3, 2)
    assert stored_counts(database)[date(2026, 8, 1), HIP] == (1, 1)


def test_a_late_acknowledgement_corrects_the_count(database: Database) -> None:
    insert_day(database, ticket(1, ack="", ack_at_ms=0))
    count(database)
    with database.writing() as connection:
        connection.execute(sa.update(schema.tickets).values(ack="delivered", ack_at_ms=5))
        connection.execute(sa.update(schema.monthly_sums).values(acks_delivered=1))
    assert count(database) == 1
    assert list(stored_counts(database).values()) == [(1, 1)]


def test_months_whose_rows_are_deleted_stay_as_they_were_counted(database: Database) -> None:
    insert_day(database, ticket(1), ticket(2, service_day=date(2025, 2, 3)))
    assert count(database, date(2025, 2, 2)) == 1, "February is older than 400 days"
    with database.writing() as connection:
        connection.execute(sa.delete(schema.tickets))
        connection.execute(sa.update(schema.monthly_sums).values(tokens=9))
    assert count(database, date(2026, 9, 2)) == 0
    assert list(stored_counts(database).values()) == [(1, 1)]


def test_a_step_is_bounded_and_the_next_goes_on(database: Database) -> None:
    several = [ticket(1, hip_id=f"IN01{number:08d}") for number in range(incentive.COUNTED_AT_ONCE + 3)]
    insert_day(database, *several)
    assert [count(database), count(database), count(database)] == [incentive.COUNTED_AT_ONCE, 3, 0]


def lines(database: Database, most: int) -> str | None:
    header = ("facility", "service_day", "ticket", "token", "request_id", "arrived_at", "accepted_at", "counted")
    with database.reading() as connection:
        return lines_csv(
            connection, date(2026, 9, 1), hip_id=HIP, most=most, zone=ZoneInfo("Asia/Kolkata"), header=header
        )


def test_lines_name_each_accepted_share_and_mark_repeats_of_a_person_on_a_day(database: Database) -> None:
    person = {"person": b"p" * 16}
    insert_day(
        database, ticket(2, **person, token="=1+1"), ticket(1, **person), ticket(3, person=None),
        ticket(4, person=None), ticket(5, **person, service_day=date(2026, 9, 22)), ticket(6, source="staff"),
        ticket(7, ack="parked"), ticket(8, service_day=date(2026, 8, 31)), ticket(9, hip_id=OTHER),
    )  # fmt: skip
    rows = list(csv.DictReader(StringIO((lines(database, 5) or "").removeprefix("\ufeff"))))
    assert [(row["ticket"], row["token"], row["counted"]) for row in rows] == [
        ("20717-1", "M-001", "1"), ("20717-2", "'=1+1", "0"), ("20717-3", "M-003", "1"), ("20717-4", "M-004", "1"),
        ("20718-5", "M-005", "1"),
    ]  # fmt: skip
    assert rows[0]["arrived_at"] == "2026-09-21T19:43:20.000+05:30"
    assert rows[0]["accepted_at"] == "2026-09-21T19:43:20.800+05:30"
    assert (rows[4]["service_day"], rows[4]["request_id"], rows[4]["facility"]) == ("2026-09-22", "request-5", HIP)


def test_lines_are_bounded_and_none_are_a_header(database: Database) -> None:
    assert (lines(database, 5) or "").count("\r\n") == 1
    insert_day(database, ticket(1), ticket(2, person=None), ticket(3, person=None))
    assert lines(database, 3) is not None
    assert lines(database, 2) is None


def test_a_facility_is_read_from_its_count_until_its_month_changes(database: Database) -> None:
    insert_day(database, ticket(1), ticket(2))
    count(database)
    with database.writing() as connection:
        connection.execute(sa.update(schema.incentive_counts).values(counted=7))  # so that one sees where it is from

    def counted() -> int | None:
        with database.reading() as connection:
            found = numbers(connection, TODAY, date(2026, 9, 1), Scope(hip_id=HIP)).incentive
            return found.counted if found else None

    assert counted() == 7
    insert_day(database, ticket(3))
    assert counted() == 3, "from the rows: they were not counted yet"
    count(database)
    assert counted() == 3
