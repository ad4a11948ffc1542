"""What the incentive pays for is counted again when a month has changed, and stays when its rows were deleted."""

from datetime import date

import sqlalchemy as sa

from kiosk.archive import incentive, schema
from kiosk.archive.database import Database
from kiosk.archive.incentive import changed_counts, counted_lines, save_counts
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


def test_lines_are_bounded_and_say_so(database: Database) -> None:
    insert_day(database, ticket(1), ticket(2, person=None), ticket(3, person=None), ticket(4, source="staff"))
    with database.reading() as connection:
        lines, has_more = counted_lines(connection, TODAY, hip_id=HIP, most=3)
        assert ([line["counted"] for line in lines], has_more) == ([1, 1, 1], False)
        assert counted_lines(connection, TODAY, hip_id=HIP, most=2)[1]
