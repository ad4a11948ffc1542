"""What pages read: sums of a range, rows as a stream."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from kiosk.archive import queries, schema
from kiosk.archive.database import Database
from kiosk.archive.sums import Sums, of_share, of_ticket, percentile, total
from tests.kiosk.archive.rows import HIP, MINUTE, NINE, insert, insert_sums, share, ticket

DAY = date(2026, 9, 21)
OTHER = "IN0110000456"


def test_a_done_ticket_counts_once_in_each_of_its_sums() -> None:
    found = of_ticket(ticket(1))
    assert found["tokens"] == found["source_abha_app"] == found["assurance_poster"] == found["state_done"] == 1
    assert (found["people_day"], found["people_month"], found["people_state"]) == (1, 1, 1)
    assert (found["wait_s"], found["wait_3"]) == (600, 1), "ten minutes are the class that ends at ten"
    assert (found["service_s"], found["service_4"]) == (240, 1)
    assert (found["acks_delivered"], found["ack_ms"], found["ack_3"]) == (1, 800, 1)
    assert found.keys() <= set(schema.SUMS)


def test_a_wait_counts_from_check_in_and_a_visit_without_start_from_its_call() -> None:
    row = ticket(1, checked_in_ms=NINE + 8 * MINUTE, started_ms=0)
    assert (of_ticket(row)["wait_s"], of_ticket(row)["service_s"]) == (120, 300)


def test_a_ticket_that_was_never_called_has_no_wait_and_one_that_is_not_done_no_service() -> None:
    found = of_ticket(ticket(1, state="waiting", called_first_ms=0, called_last_ms=0, ended_ms=0, started_ms=0, ack=""))
    assert not {"called", "wait_s", "service_s", "acks_delivered"} & found.keys()


def test_clocks_that_differ_a_little_give_no_negative_time() -> None:
    assert of_ticket(ticket(1, ack_at_ms=NINE - 40))["ack_ms"] == 0


def test_a_refused_share_counts_under_its_reason() -> None:
    found = of_share(share(1))
    assert (found["refused"], found["refused_closed_queue"], found["acks_delivered"]) == (1, 1, 1)
    assert of_share(share(1, kind="repeated", refusal="", ack="parked")) == {"repeated": 1, "acks_parked": 1}


@pytest.mark.parametrize(
    ("counts", "part", "value"),
    [([0, 0, 0], 0.5, None), ([10, 0, 0], 0.5, 0.5), ([5, 5, 0], 0.9, 1.8), ([0, 0, 4], 0.5, 2), ([1, 0, 1], 0.5, 1)],
)  # fmt: skip
def test_a_part_of_the_patients_is_read_from_classes(counts: list[int], part: float, value: float | None) -> None:
    assert percentile(counts, (1, 2), part) == (None if value is None else pytest.approx(value))


def test_sums_add_up() -> None:
    both = total([Sums(tokens=2, wait_0=2), Sums(tokens=3, wait_1=3)])
    assert (both["tokens"], both["called"]) == (5, 0)
    assert both.wait_min(1.0) == 2
    assert Sums().mean_service_min() is None
    assert Sums(service_s=600, service_6=2).mean_service_min() == 5
    assert Sums(service_s=600, service_6=2).measured_service_min() is None, "two visits say nothing"
    assert Sums(service_s=1500, service_6=5).measured_service_min() == 5
    assert Sums(service_s=0, service_0=9).measured_service_min() is None, "nobody is served in no time"


def test_sums_of_a_range_by_every_key(database: Database) -> None:
    insert_sums(database, tokens=7, wait_0=3)
    insert(database, schema.daily_sums, {"hip_id": OTHER, "service_day": DAY, "queue": "eye", "tokens": 2})
    next_day = {"hip_id": HIP, "service_day": date(2026, 9, 22), "queue": "eye", "tokens": 1}
    insert(database, schema.daily_sums, next_day)
    with database.reading() as connection:
        assert queries.sums(connection, DAY, DAY)["tokens"] == 7, "the whole service is read from its own sums"
        assert queries.sums(connection, DAY, date(2026, 9, 30), hip_id=HIP)["tokens"] == 8
        assert queries.sums(connection, DAY, DAY, hip_id=HIP, queue="eye") == {}
        assert queries.sums_by_day(connection, DAY, date(2026, 9, 30), hip_id=HIP, columns=("tokens",)) == {
            DAY: {"tokens": 7}, date(2026, 9, 22): {"tokens": 1},
        }  # fmt: skip
        assert queries.sums_by_hour(connection, DAY, DAY, hip_id=HIP) == {9: {"tokens": 7, "wait_0": 3}}
        assert queries.sums_by_queue(connection, DAY, date(2026, 9, 22), hip_id=HIP)["eye"]["tokens"] == 1
        assert queries.sums_by_queue_and_hour(connection, DAY, DAY, hip_id=HIP)["medicine", 9].wait_min(0.5) == 0.5


def test_an_empty_archive_has_empty_sums(database: Database) -> None:
    with database.reading() as connection:
        assert queries.sums(connection, DAY, DAY) == {}
        assert queries.imported(connection, DAY, DAY) == 0


def test_imported_totals_are_apart(database: Database) -> None:
    row = {"hip_id": HIP, "day": DAY, "source": "dashboard", "tokens": 40, "imported_ms": 1}
    insert(database, schema.imported_totals, row, row | {"source": "register", "tokens": 2}, row | {"hip_id": OTHER})
    with database.reading() as connection:
        assert queries.imported(connection, DAY, DAY) == 82
        assert queries.imported(connection, DAY, DAY, hip_id=HIP) == 42
        assert queries.imported_by_facility(connection, DAY, DAY) == {HIP: 42, OTHER: 40}
        assert queries.sums(connection, DAY, DAY) == {}


def test_the_incentive_counts_a_person_once_a_day_and_only_what_the_gateway_took(database: Database) -> None:
    person = b"p" * 16
    insert(
        database,
        schema.tickets,
        ticket(1, person=person),
        ticket(2, person=person),
        ticket(3, person=person, service_day=date(2026, 9, 22)),
        ticket(4, person=None),
        ticket(5, person=None),
        ticket(6, ack="parked"),
        ticket(7, source="staff", ack=""),
        ticket(8, service_day=date(2026, 10, 1)),
        ticket(1, hip_id=OTHER, person=person),
    )
    with database.reading() as connection:
        found = queries.incentives(connection, DAY)
        assert found == {HIP: queries.Incentive(shares=5, counted=4), OTHER: queries.Incentive(shares=1, counted=1)}
        rows = queries.accepted_shares(connection, DAY, hip_id=HIP, limit=9)
    assert [row.request_id for row in rows] == ["request-1", "request-2", "request-4", "request-5", "request-3"]
    assert {row.ack_at_ms for row in rows} == {NINE + 800}


def test_a_counter_is_open_in_the_hours_in_which_it_calls(database: Database) -> None:
    insert(
        database,
        schema.tickets,
        ticket(1),
        ticket(2, counter="M2"),
        ticket(3, counter="M2", called_last_ms=NINE + 11 * MINUTE),
        ticket(4, called_last_ms=NINE + 70 * MINUTE),
        ticket(5, called_last_ms=0),
    )
    with database.reading() as connection:
        found = queries.open_counters(connection, DAY, DAY, hip_id=HIP, zone=ZoneInfo("UTC"))
    assert sorted(found.values()) == [1, 2]
    assert {day for day, _ in found} == {DAY}
