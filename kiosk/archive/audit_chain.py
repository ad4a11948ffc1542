"""The audit in the archive: lines chained by hash for each facility, and a seal for each day.

- A line's hash covers its fields and the hash of the line before it, so no line can be changed, removed, moved or put
  in without all that follow.
- Each UTC day ends with a seal: the heads of all chains that grew, and the seal before, signed by the key ring. A chain
  that was cut or written anew therefore does not fit the seals, and a missing seal shows a cut end.
- Not shown: what is changed since the last seal, by somebody who writes the whole chain anew; and what somebody does
  who has the key ring too. So keep a copy of the newest seal (``kiosk audit verify`` prints it) outside the machine.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, Self

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive.schema import audit_day_heads, audit_heads, audit_lines, audit_seals
from kiosk.archive.upsert import insert_or_replace

NOTHING: Final = bytes(32)
"""Stands for the hash before the first line and the seal before the first seal."""
SEALS_AT_ONCE: Final = 1_000
"""A service that was off for years seals the days it missed step by step."""
LINE_FIELDS: Final = ("hip_id", "seq", "at_ms", "act", "by", "address", "ticket", "why", "entry")
"""What a hash covers, in this order."""


class AuditLine(Struct, frozen=True, kw_only=True):
    """One act of somebody, as it happened."""

    hip_id: str
    """Empty for what belongs to no facility."""
    at_ms: int
    act: str
    by: str
    address: str
    ticket: str
    why: str
    entry: str
    """Id of its event."""


class Keys(Struct, frozen=True):
    """The keys of seals, of the key ring: by id, and which one signs."""

    secrets: Mapping[str, bytes]
    signing: str

    @classmethod
    def of(cls, secrets: Mapping[str, bytes]) -> Self:
        """All keys, oldest first: the last one signs."""
        return cls(secrets, [*secrets][-1])

    def sign(self, sealed: bytes) -> bytes:
        return hmac.digest(self.secrets[self.signing], sealed, "sha256")

    def fits(self, key_id: str, sealed: bytes, signature: bytes) -> bool:
        secret = self.secrets.get(key_id)
        return secret is not None and hmac.compare_digest(hmac.digest(secret, sealed, "sha256"), signature)

    def __repr__(self) -> str:
        return f"Keys(signing={self.signing!r})"


class Verdict(Struct, frozen=True, kw_only=True):
    """What ``verify`` found."""

    lines: int
    seals: int
    fault: str
    """The first thing that does not fit, in one line; empty when all fits."""
    newest: str
    """The newest seal, hexadecimal, to be kept elsewhere."""


def hash_of(before: bytes, line: Mapping[str, Any]) -> bytes:
    """The hash of a line that follows the one with the hash ``before``."""
    return hashlib.sha256(before + msgspec.json.encode([line[name] for name in LINE_FIELDS])).digest()


def append(connection: Connection, lines: Iterable[AuditLine]) -> int:
    """Add lines to the chains of their facilities. Returns how many. The caller sees to it that none comes twice."""
    by_facility: dict[str, list[AuditLine]] = {}
    for line in lines:
        by_facility.setdefault(line.hip_id, []).append(line)
    if not by_facility:
        return 0
    found = connection.execute(sa.select(audit_heads).where(audit_heads.c.hip_id.in_(by_facility)))
    heads = {row["hip_id"]: dict(row) for row in found.mappings()}
    rows: list[dict[str, Any]] = []
    for hip_id, own in sorted(by_facility.items()):
        head = heads.setdefault(hip_id, {"hip_id": hip_id, "seq": 0, "hash": NOTHING})
        rows += _chained(head, own)
    if rows:
        connection.execute(audit_lines.insert(), rows)
        insert_or_replace(connection, audit_heads, list(heads.values()))
    return len(rows)


def _chained(head: dict[str, Any], lines: Sequence[AuditLine]) -> Iterator[dict[str, Any]]:
    """Rows for these lines; the head moves on."""
    for line in lines:
        row = msgspec.structs.asdict(line) | {"seq": head["seq"] + 1}
        row["hash"] = hash_of(head["hash"], row)
        head |= {"seq": row["seq"], "hash": row["hash"]}
        yield row


def seal_days(connection: Connection, today: date, keys: Keys) -> int:
    """Seal every day before ``today`` that is not sealed. Returns how many."""
    last = connection.execute(sa.select(audit_seals).order_by(audit_seals.c.day.desc()).limit(1)).mappings().first()
    if last is None and connection.execute(sa.select(audit_heads.c.seq).limit(1)).first() is None:
        return 0  # nothing was ever written
    day = last["day"] + timedelta(days=1) if last else today - timedelta(days=1)
    before: bytes = last["seal"] if last else NOTHING
    count = 0
    while day < today and count < SEALS_AT_ONCE:
        before = _seal(connection, day, before, keys)
        day, count = day + timedelta(days=1), count + 1
    return count


def _seal(connection: Connection, day: date, before: bytes, keys: Keys) -> bytes:
    """Lines that came since the last seal belong to this day, and none to the days that are made up after it."""
    newest = (
        sa.select(audit_day_heads.c.hip_id, sa.func.max(audit_day_heads.c.seq).label("seq"))
        .group_by(audit_day_heads.c.hip_id)
        .subquery()
    )
    grown = (
        sa.select(audit_heads.c.hip_id, audit_heads.c.seq, audit_heads.c.hash)
        .outerjoin(newest, newest.c.hip_id == audit_heads.c.hip_id)
        .where(sa.or_(newest.c.seq.is_(None), newest.c.seq < audit_heads.c.seq))
        .order_by(audit_heads.c.hip_id)
    )
    heads = [{"day": day, **row} for row in connection.execute(grown).mappings()]
    if heads:
        connection.execute(audit_day_heads.insert(), heads)
    heads_hash = _hash_of_heads(heads)
    seal = _seal_of(before, day, heads_hash)
    row = {"day": day, "heads": heads_hash, "seal": seal, "key_id": keys.signing, "signature": keys.sign(seal)}
    connection.execute(audit_seals.insert(), [row])
    return seal


def _hash_of_heads(heads: Iterable[Mapping[str, Any]]) -> bytes:
    listed = sorted((head["hip_id"], head["seq"], bytes(head["hash"]).hex()) for head in heads)
    return hashlib.sha256(msgspec.json.encode(listed)).digest()


def _seal_of(before: bytes, day: date, heads_hash: bytes) -> bytes:
    return hashlib.sha256(before + day.isoformat().encode() + heads_hash).digest()


def expire(connection: Connection, keep_from: date) -> int:
    """Delete what was sealed before this day: lines, and the heads of those days but for the one from which the rest of
    each chain is proved. Returns how many lines.
    """
    anchors = _anchors(connection, keep_from)
    gone = 0
    for hip_id, seq in anchors.items():
        gone += connection.execute(
            sa.delete(audit_lines).where(audit_lines.c.hip_id == hip_id, audit_lines.c.seq <= seq)
        ).rowcount
        connection.execute(
            sa.delete(audit_day_heads).where(audit_day_heads.c.hip_id == hip_id, audit_day_heads.c.seq < seq)
        )
    return gone


def _anchors(connection: Connection, keep_from: date) -> dict[str, int]:
    """Facility -> its last line that was sealed before this day."""
    heads = sa.select(audit_day_heads.c.hip_id, sa.func.max(audit_day_heads.c.seq).label("seq"))
    found = connection.execute(heads.where(audit_day_heads.c.day < keep_from).group_by(audit_day_heads.c.hip_id))
    return {row.hip_id: row.seq for row in found}


def verify(connection: Connection, today: date, keep_from: date, keys: Keys) -> Verdict:
    """Walk seals and chains. ``keep_from``: the first day whose lines must be there."""
    seals, newest, fault = _verify_seals(connection, today, keep_from, keys)
    lines = 0
    if not fault:
        lines, fault = _verify_lines(connection, keep_from)
    return Verdict(lines=lines, seals=seals, fault=fault, newest=newest.hex())


def _verify_seals(connection: Connection, today: date, keep_from: date, keys: Keys) -> tuple[int, bytes, str]:
    before, expected, count = NOTHING, None, 0
    for row in connection.execute(sa.select(audit_seals).order_by(audit_seals.c.day)).mappings():
        day = row["day"]
        if expected is not None and day != expected:
            return count, before, f"the seal of {expected} is missing"
        if _seal_of(before, day, row["heads"]) != row["seal"]:
            return count, before, f"the seal of {day} was changed"
        if not keys.fits(row["key_id"], row["seal"], row["signature"]):
            return count, before, f"the signature of the seal of {day} does not fit the key ring"
        own = sa.select(audit_day_heads).where(audit_day_heads.c.day == day)
        if day >= keep_from and _hash_of_heads(map(dict, connection.execute(own).mappings())) != row["heads"]:
            return count, before, f"the heads of {day} were changed"
        before, expected, count = row["seal"], day + timedelta(days=1), count + 1
    if expected is None and connection.execute(sa.select(audit_day_heads.c.seq).limit(1)).first() is not None:
        return 0, before, "all seals are missing"
    if expected is not None and expected < today - timedelta(days=1):
        return (
            count,
            before,
            f"the seals end before {expected}: they were removed, or `kiosk archive` has not run since",
        )
    return count, before, ""


def _verify_lines(connection: Connection, keep_from: date) -> tuple[int, str]:
    heads: dict[str, dict[int, bytes]] = {}
    for table in (audit_heads, audit_day_heads):  # the newest lines are read first: more may come meanwhile
        for row in connection.execute(sa.select(table.c.hip_id, table.c.seq, table.c.hash)).mappings():
            heads.setdefault(row["hip_id"], {})[row["seq"]] = row["hash"]
    anchors, count = _anchors(connection, keep_from), 0
    last: dict[str, tuple[int, bytes]] = {hip: (seq, heads[hip][seq]) for hip, seq in anchors.items()}
    ordered = sa.select(audit_lines).order_by(audit_lines.c.hip_id, audit_lines.c.seq)
    with connection.execute(ordered.execution_options(yield_per=1_000)) as rows:
        for line in map(dict, rows.mappings()):
            hip_id, seq = line["hip_id"], line["seq"]
            if seq <= anchors.get(hip_id, 0):
                continue  # to be deleted soon
            before_seq, before = last.get(hip_id, (0, NOTHING))
            if fault := _misfit(line, before_seq, before, heads.get(hip_id, {})):
                return count, fault
            last[hip_id], count = (seq, line["hash"]), count + 1
    for hip_id, known in sorted(heads.items()):
        if max(known) > (reached := last.get(hip_id, (0, NOTHING))[0]):
            return count, f"line {reached + 1} of facility {hip_id or 'none'} is missing, and all after it"
    return count, ""


def _misfit(row: Mapping[str, Any], before_seq: int, before: bytes, heads: Mapping[int, bytes]) -> str:
    """What is wrong with a line behind another one; empty when it fits."""
    where = f"line {before_seq + 1} of facility {row['hip_id'] or 'none'}"
    if row["seq"] != before_seq + 1:
        return f"{where} is missing"
    if hash_of(before, row) != row["hash"]:
        return f"{where} does not fit: it or the one before was changed, moved or put in"
    if heads.get(row["seq"], row["hash"]) != row["hash"]:
        return f"{where} does not fit the head of its day"
    return ""
