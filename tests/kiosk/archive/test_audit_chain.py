"""The chained audit: whatever is changed in the database, ``verify`` names the first place that does not fit."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive import audit_chain
from kiosk.archive.audit_chain import NOTHING, AuditLine, Keys, Verdict, hash_of
from kiosk.archive.database import Database
from kiosk.archive.schema import audit_day_heads, audit_heads, audit_lines, audit_seals
from tests.kiosk.archive.rows import HIP

DAY = date(2026, 9, 21)
OTHER = "IN0199999999"
KEYS = Keys({"old": b"o" * 32, "new": b"n" * 32}, "new")
LINES_A_DAY = 4
DAYS = 5


def line(number: int, hip_id: str = HIP, **changed: Any) -> AuditLine:
    fields: dict[str, Any] = {
        "hip_id": hip_id, "at_ms": 1_790_000_000_000 + number, "act": "read_list", "by": "anna",
        "address": "10.0.0.7", "ticket": "20717-1", "why": "called", "entry": f"{1_790_000_000_000 + number}-0",
    }  # fmt: skip
    return AuditLine(**fields | changed)


def fill(database: Database) -> None:
    """Five days, two facilities; the first two days are sealed with an older key."""
    for day in range(DAYS):
        keys = Keys(KEYS.secrets, "old" if day < 2 else "new")
        with database.writing() as connection:
            first = day * LINES_A_DAY
            audit_chain.append(connection, (line(first + n, hip) for n in range(LINES_A_DAY) for hip in (HIP, OTHER)))
            audit_chain.seal_days(connection, DAY + timedelta(days=day + 1), keys)
    with database.writing() as connection:
        audit_chain.append(connection, [line(100), line(101)])


def verdict(database: Database, *, days: int = DAYS, keep_from: date = DAY, keys: Keys = KEYS) -> Verdict:
    with database.reading() as connection:
        return audit_chain.verify(connection, DAY + timedelta(days=days), keep_from, keys)


def test_an_untouched_audit_fits(database: Database) -> None:
    assert verdict(database).fault == ""
    fill(database)
    found = verdict(database)
    assert (found.fault, found.lines, found.seals) == ("", 2 * DAYS * LINES_A_DAY + 2, DAYS)


def change_a_line(connection: Connection) -> None:
    connection.execute(sa.update(audit_lines).where(audit_lines.c.seq == 6, at(HIP)).values(by="bilal"))


def change_a_line_and_its_hash(connection: Connection) -> None:
    change_a_line(connection)
    rehash(connection, 6, 6)


def write_the_whole_chain_anew(connection: Connection) -> None:
    change_a_line(connection)
    rehash(connection, 1, DAYS * LINES_A_DAY + 2)


def write_chain_and_heads_anew(connection: Connection) -> None:
    write_the_whole_chain_anew(connection)
    for row in connection.execute(sa.select(audit_day_heads).where(audit_day_heads.c.hip_id == HIP)).mappings().all():
        fresh = sa.select(audit_lines.c.hash).where(audit_lines.c.seq == row["seq"], at(HIP))
        mine = sa.and_(audit_day_heads.c.day == row["day"], audit_day_heads.c.hip_id == HIP)
        connection.execute(sa.update(audit_day_heads).where(mine).values(hash=connection.execute(fresh).scalar_one()))


def remove_a_line(connection: Connection) -> None:
    connection.execute(sa.delete(audit_lines).where(audit_lines.c.seq == 7, at(HIP)))


def remove_a_line_and_close_the_gap(connection: Connection) -> None:
    remove_a_line(connection)
    for seq in range(8, DAYS * LINES_A_DAY + 3):
        connection.execute(sa.update(audit_lines).where(audit_lines.c.seq == seq, at(HIP)).values(seq=seq - 1))
    rehash(connection, 1, DAYS * LINES_A_DAY + 1)


def swap_a_pair(connection: Connection) -> None:
    for old, new in ((6, 1_000), (7, 6), (1_000, 7)):
        connection.execute(sa.update(audit_lines).where(audit_lines.c.seq == old, at(HIP)).values(seq=new))


def put_a_line_in(connection: Connection) -> None:
    last = DAYS * LINES_A_DAY + 2
    for seq in range(last, 6, -1):
        connection.execute(sa.update(audit_lines).where(audit_lines.c.seq == seq, at(HIP)).values(seq=seq + 1))
    row = dict(connection.execute(sa.select(audit_lines).where(audit_lines.c.seq == 6, at(HIP))).mappings().one())
    connection.execute(audit_lines.insert(), [row | {"seq": 7}])


def cut_the_tail(connection: Connection) -> None:
    connection.execute(sa.delete(audit_lines).where(audit_lines.c.seq > 10, at(HIP)))


def cut_what_came_since_the_last_seal(connection: Connection) -> None:
    connection.execute(sa.delete(audit_lines).where(audit_lines.c.seq > DAYS * LINES_A_DAY, at(HIP)))


def change_the_newest_line_and_its_hash(connection: Connection) -> None:
    newest = DAYS * LINES_A_DAY + 2
    connection.execute(sa.update(audit_lines).where(audit_lines.c.seq == newest, at(HIP)).values(why="nothing"))
    rehash(connection, newest, newest)


def cut_the_tail_with_its_heads(connection: Connection) -> None:
    cut_the_tail(connection)
    connection.execute(sa.delete(audit_day_heads).where(audit_day_heads.c.seq > 10, audit_day_heads.c.hip_id == HIP))


def cut_everything_of_the_last_days(connection: Connection) -> None:
    for table in (audit_day_heads, audit_seals):
        connection.execute(sa.delete(table).where(table.c.day >= DAY + timedelta(days=2)))
    connection.execute(sa.delete(audit_lines).where(audit_lines.c.seq > 2 * LINES_A_DAY))


def remove_a_seal(connection: Connection) -> None:
    connection.execute(sa.delete(audit_seals).where(audit_seals.c.day == DAY + timedelta(days=2)))


def remove_all_seals(connection: Connection) -> None:
    connection.execute(sa.delete(audit_seals))


def remove_the_first_lines(connection: Connection) -> None:
    connection.execute(sa.delete(audit_lines).where(audit_lines.c.seq <= LINES_A_DAY, at(HIP)))


def at(hip_id: str) -> sa.ColumnElement[bool]:
    return audit_lines.c.hip_id == hip_id


def rehash(connection: Connection, first: int, last: int) -> None:
    """What somebody does who knows how hashes are made."""
    before = NOTHING
    for row in map(
        dict, connection.execute(sa.select(audit_lines).where(at(HIP)).order_by(audit_lines.c.seq)).mappings().all()
    ):
        fresh = hash_of(before, row) if first <= row["seq"] <= last else row["hash"]
        connection.execute(sa.update(audit_lines).where(audit_lines.c.seq == row["seq"], at(HIP)).values(hash=fresh))
        before = fresh


TAMPERING: dict[Callable[[Connection], None], str] = {
    change_a_line: f"line 6 of facility {HIP} does not fit",
    change_a_line_and_its_hash: f"line 7 of facility {HIP} does not fit",
    write_the_whole_chain_anew: f"line 8 of facility {HIP} does not fit the head",
    write_chain_and_heads_anew: "the heads of 2026-09-22 were changed",
    remove_a_line: f"line 7 of facility {HIP} is missing",
    remove_a_line_and_close_the_gap: f"line 8 of facility {HIP} does not fit the head",
    swap_a_pair: f"line 6 of facility {HIP} does not fit",
    put_a_line_in: f"line 7 of facility {HIP} does not fit",
    cut_the_tail: f"line 11 of facility {HIP} is missing, and all after it",
    cut_what_came_since_the_last_seal: f"line {DAYS * LINES_A_DAY + 1} of facility {HIP} is missing, and all after it",
    change_the_newest_line_and_its_hash: f"line {DAYS * LINES_A_DAY + 2} of facility {HIP} does not fit the head",
    cut_the_tail_with_its_heads: "the heads of 2026-09-23 were changed",
    cut_everything_of_the_last_days: "the seals end before 2026-09-23",
    remove_a_seal: "the seal of 2026-09-23 is missing",
    remove_all_seals: "all seals are missing",
    remove_the_first_lines: f"line 1 of facility {HIP} is missing",
}


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_what_was_changed_is_named(database: Database, tamper: Callable[[Connection], None]) -> None:
    fill(database)
    with database.writing() as connection:
        tamper(connection)
    assert verdict(database).fault.startswith(TAMPERING[tamper])


def test_a_seal_that_another_key_signed_does_not_fit(database: Database) -> None:
    fill(database)
    found = verdict(database, keys=Keys({"new": b"x" * 32, "old": b"o" * 32}, "new"))
    assert found.fault == "the signature of the seal of 2026-09-23 does not fit the key ring"


def test_old_lines_go_by_whole_days_and_the_rest_still_fits(database: Database) -> None:
    fill(database)
    keep_from = DAY + timedelta(days=2)
    with database.writing() as connection:
        assert audit_chain.expire(connection, keep_from) == 2 * 2 * LINES_A_DAY
        assert audit_chain.expire(connection, keep_from) == 0
    found = verdict(database, keep_from=keep_from)
    assert (found.fault, found.lines, found.seals) == ("", 2 * 3 * LINES_A_DAY + 2, DAYS)
    assert verdict(database, keep_from=DAY).fault, "lines that must be there are missing"


def test_days_without_an_act_are_sealed_too(database: Database) -> None:
    fill(database)
    with database.writing() as connection:
        assert audit_chain.seal_days(connection, DAY + timedelta(days=DAYS + 10), KEYS) == 10
        assert audit_chain.seal_days(connection, DAY + timedelta(days=DAYS + 10), KEYS) == 0
        newest = connection.execute(sa.select(audit_day_heads.c.day).where(audit_day_heads.c.seq == 22)).scalar_one()
    assert newest == DAY + timedelta(days=DAYS), "what came since the last seal belongs to the first new one"
    assert verdict(database, days=DAYS + 10).fault == ""


def test_nothing_is_sealed_before_the_first_line(database: Database) -> None:
    with database.writing() as connection:
        assert audit_chain.seal_days(connection, datetime.now(UTC).date(), KEYS) == 0
        assert connection.execute(sa.select(sa.func.count()).select_from(audit_heads)).scalar_one() == 0
