"""Checks a run from the gateway's side only: which shares were accepted (202), and which replies came back.

The rows are in SQLite, so that seven million of them need no memory. After an interrupted run the file can be read.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from loadtests.simulator.gateway.journal import read_line
from loadtests.simulator.people.crowd import Crowd, Share, read_request_id
from loadtests.simulator.people.share_client import SendResult

AT_ONCE: Final = 5_000
MOST_SHOWN: Final = 10

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS taken (i INTEGER PRIMARY KEY, facility INTEGER, due_s REAL, status INTEGER);
CREATE TABLE IF NOT EXISTS answers (
    i INTEGER, facility INTEGER, at_s REAL, status INTEGER, token TEXT, error TEXT, ours INTEGER);
"""
_INDEXES: Final = """
CREATE INDEX IF NOT EXISTS answer_of ON answers (i);
CREATE INDEX IF NOT EXISTS token_of ON answers (facility, token);
"""


class Verdict(Struct, frozen=True, kw_only=True):
    """The result. All but the first three figures must be 0."""

    sent: int
    taken: int
    """Shares answered with a 202."""
    tokens: int
    """Different numbers that came back, over all facilities."""
    not_taken: int
    """Shares that got another status, or none."""
    lost: int
    """Accepted and never acknowledged."""
    repeated: int
    """Acknowledged more than once."""
    number_twice: int
    """Numbers of one facility that two people got."""
    two_numbers: int
    """Shares that got one number and later another."""
    holes: int
    """Missing numbers: below a facility's highest number, but never acknowledged."""
    refused: int
    """Acknowledged with an error instead of a number."""
    wrong: int
    """Answers with another person's ABHA address, another counter, or to no share of this run."""
    examples: list[str] = []

    @property
    def good(self) -> bool:
        """Whether every 202 was acknowledged once, with a number that no other share got."""
        return self.sound and not self.repeated

    @property
    def sound(self) -> bool:
        """As ``good``, but the same answer may come twice: a relay that is killed before it notes an answer sends it
        again.
        """
        faults = (self.not_taken, self.lost, self.number_twice, self.two_numbers, self.holes, self.refused, self.wrong)
        return not any(faults)


class Acknowledgements:
    """The accepted shares and the answers of one run."""

    def __init__(self, crowd: Crowd, path: Path | None = None) -> None:
        self._crowd = crowd
        self._base = sqlite3.connect(path or ":memory:")
        # The file is read at the end of the same run. After a crash of the machine the run must start again anyway.
        self._base.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _TABLES)
        self._read_to = 0
        self._foreign = 0
        self._answered = 0

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def record_answers(self, shares: Sequence[Share], sent: SendResult) -> None:
        """Record how the kiosk answered each share."""
        rows = (
            (share.index, share.facility, due_s, status)
            for share, due_s, status in zip(shares, sent.due_s, sent.answered, strict=True)
        )
        with self._base:
            self._base.executemany("INSERT INTO taken VALUES (?, ?, ?, ?)", rows)

    def follow(self, journal: Path) -> int:
        """Read what the gateway has written since the last call. Returns how many answers of this run are known now."""
        with journal.open("rb") as file:
            file.seek(self._read_to)
            data = file.read()
        if not data:
            return self._answered
        whole = data.rfind(b"\n") + 1
        self._read_to += whole
        with self._base:
            self._base.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", self._answers(data[:whole]))
        return self._answered

    def _answers(self, data: bytes) -> Iterator[tuple[Any, ...]]:
        for text in data.decode("utf-8", "replace").splitlines():
            line = read_line(text)
            run, share = read_request_id(line.request_id) or (0, Share(0, 0))
            if run != self._crowd.run:
                self._foreign += 1
                continue
            self._answered += 1
            ours = bool(line.error) or (
                line.abha_address == self._crowd.address(share.index) and line.context == self._crowd.text
            )
            yield share.index, share.facility, line.at_ms / 1000, line.status, line.token, line.error, ours

    def undelivered(self) -> int:
        """The number of accepted shares without an answer yet."""
        self._index()
        return int(
            self._one(
                "SELECT count(*) FROM taken WHERE status = 202 AND NOT EXISTS "
                "(SELECT 1 FROM answers WHERE answers.i = taken.i AND answers.status = 202)"
            )
        )

    def waits_s(self, first: int, last: int) -> list[float]:
        """For the shares ``first`` to ``last``: seconds from the time a share was due to its first acknowledgement."""
        self._index()
        rows = self._base.execute(
            "SELECT min(at_s) - due_s FROM taken JOIN answers USING (i) "
            "WHERE i BETWEEN ? AND ? AND answers.status = 202 GROUP BY i",
            (first, last),
        )
        # The journal counts whole milliseconds, rounded down.
        return [max(0.0, wait_s) for (wait_s,) in rows]

    def waits_by_facility(self) -> list[tuple[int, float, float]]:
        """For each acknowledged share: facility, when it was due (Unix s), seconds to its first acknowledgement."""
        self._index()
        rows = self._base.execute(
            "SELECT taken.facility, due_s, min(at_s) - due_s FROM taken JOIN answers USING (i) "
            "WHERE answers.status = 202 GROUP BY i"
        )
        return [(facility, due_s, max(0.0, wait_s)) for facility, due_s, wait_s in rows]

    def delivered(self, first: int, last: int) -> tuple[int, float]:
        """How many of these shares were acknowledged, and the Unix time of the last acknowledgement."""
        row = self._base.execute(
            "SELECT count(DISTINCT i), max(at_s) FROM answers WHERE i BETWEEN ? AND ? AND status = 202", (first, last)
        ).fetchone()
        return int(row[0]), float(row[1] or 0.0)

    def verdict(self) -> Verdict:
        """Check all recorded shares and answers."""
        self._index()
        return Verdict(
            sent=self._one("SELECT count(*) FROM taken"),
            taken=self._one("SELECT count(*) FROM taken WHERE status = 202"),
            tokens=self._one("SELECT count(*) FROM (SELECT DISTINCT facility, token FROM answers WHERE token <> '')"),
            not_taken=self._one("SELECT count(*) FROM taken WHERE status <> 202"),
            lost=self.undelivered(),
            repeated=self._one(
                "SELECT count(*) FROM (SELECT i FROM answers WHERE status = 202 GROUP BY i HAVING count(*) > 1)"
            ),
            number_twice=self._one(
                "SELECT count(*) FROM (SELECT 1 FROM answers WHERE token <> '' GROUP BY facility, token "
                "HAVING count(DISTINCT i) > 1)"
            ),
            two_numbers=self._one(
                "SELECT count(*) FROM (SELECT 1 FROM answers WHERE token <> '' GROUP BY i "
                "HAVING count(DISTINCT token) > 1)"
            ),
            holes=self._one(
                "SELECT coalesce(sum(highest - given), 0) FROM (SELECT max(CAST(substr(token, instr(token, '-') + 1) "
                "AS INTEGER)) AS highest, count(DISTINCT token) AS given FROM answers WHERE token <> '' "
                "GROUP BY facility)"
            ),
            refused=self._one("SELECT count(DISTINCT i) FROM answers WHERE error <> ''"),
            wrong=self._foreign
            + self._one("SELECT count(*) FROM answers WHERE NOT ours")
            + self._one("SELECT count(DISTINCT i) FROM answers WHERE i NOT IN (SELECT i FROM taken)"),
            examples=self._examples(),
        )  # fmt: skip

    def _examples(self) -> list[str]:
        rows = self._base.execute(
            "SELECT i, facility, status FROM taken WHERE status <> 202 OR NOT EXISTS "
            "(SELECT 1 FROM answers WHERE answers.i = taken.i AND answers.status = 202) LIMIT ?",
            (MOST_SHOWN,),
        )
        lost = [f"share {i} of facility {facility}: answered {status}" for i, facility, status in rows]
        rows = self._base.execute(
            "SELECT error, count(*) FROM answers WHERE error <> '' GROUP BY error LIMIT ?", (MOST_SHOWN,)
        )
        return lost + [f"{error}: {count} times" for error, count in rows]

    def _index(self) -> None:
        """Make the indexes after all answers are stored: an index that grows with every row costs three
        times as much.
        """
        self._base.executescript(_INDEXES)

    def _one(self, query: str) -> int:
        return int(self._base.execute(query).fetchone()[0])


def in_batches(things: Iterable[Any], size: int = AT_ONCE) -> Iterator[list[Any]]:
    """Lists of ``size``."""
    batch: list[Any] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
