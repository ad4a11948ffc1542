"""``python -m loadtests.history``: a year of the whole state in an archive, to measure pages and exports with.

By default 3,607 facilities and 60 lakh tickets, spread over weekdays, hospitals and hours as J&K's were. The archive is
made by the program itself (``kiosk history import``, which also takes the totals of the years before).
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from loadtests.history.invented_days import Facility, Row, of_share, of_ticket
from loadtests.replay.history import WEEKDAYS, days, shared_out
from loadtests.shapes import sizes

FACILITIES: Final = 3_607
TICKETS: Final = 6_000_000
DISTRICTS: Final = ("Anantnag", "Bandipora", "Baramulla", "Budgam", "Doda", "Ganderbal", "Jammu", "Kathua", "Kishtwar",
    "Kulgam", "Kupwara", "Poonch", "Pulwama", "Rajouri", "Ramban", "Reasi", "Samba", "Shopian", "Srinagar",
    "Udhampur")  # fmt: skip
ROWS_AT_ONCE: Final = 5_000
SUM_TABLES: Final = ("hourly_sums", "daily_sums", "monthly_sums", "state_sums")


class Archive:
    """Bulk inserts into the tables that the program made, by the driver itself: that takes half the time."""

    def __init__(self, url: str) -> None:
        drivers = {"postgresql": "postgresql+psycopg"}
        parsed = sa.make_url(url)
        self._engine = sa.create_engine(parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername)))
        self._connection = self._engine.connect()
        self._is_sqlite = parsed.drivername == "sqlite"
        if self._is_sqlite:
            for setting in ("synchronous=OFF", "cache_size=-262144", "temp_store=MEMORY"):
                self._connection.exec_driver_sql(f"PRAGMA {setting}")
        schema = sa.MetaData()
        schema.reflect(self._connection)
        self.columns = {name: [column.name for column in table.columns] for name, table in schema.tables.items()}
        self.keys = {name: [column.name for column in table.primary_key] for name, table in schema.tables.items()}
        self.rows = 0

    def insert(self, table: str, rows: Iterable[Row]) -> None:
        """Rows without a column have 0 there."""
        names = self.columns[table]
        mark = "?" if self._is_sqlite else "%s"
        statement = f"INSERT INTO {table} VALUES ({', '.join([mark] * len(names))})"  # noqa: S608 - names of the schema
        batch: list[tuple[Any, ...]] = []
        for row in rows:
            value = row.get
            batch.append(tuple([self._plain(value(name, 0)) for name in names]))
            if len(batch) >= ROWS_AT_ONCE:
                self._write(statement, batch)
                batch = []
        self._write(statement, batch)

    def close(self) -> None:
        """Everything is stored, and the database knows how much there is."""
        self._connection.exec_driver_sql("ANALYZE")
        self._connection.commit()
        self._connection.close()
        self._engine.dispose()

    def _plain(self, value: Any) -> Any:
        return value.isoformat() if self._is_sqlite and type(value) is date else value

    def _write(self, statement: str, batch: list[tuple[Any, ...]]) -> None:
        if batch:
            self._connection.exec_driver_sql(statement, batch)
            self._connection.commit()
            self.rows += len(batch)


class SumsOfMonth:
    """The sums of one month, written when it is over."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._hourly: dict[tuple[Any, ...], dict[str, int]] = {}
        self._accepted: dict[tuple[str, date], dict[str, int]] = {}
        """HIP id and first of the month -> what the incentive pays for."""

    def count_for_incentive(self, tickets: Iterable[Row]) -> None:
        """The accepted shares of one day: one for each person and facility."""
        seen: set[tuple[str, bytes | None]] = set()
        for row in tickets:
            if row["source"] != "abha_app" or row["ack"] != "delivered":
                continue
            key = (row["hip_id"], row["person"])
            counts = self._accepted.setdefault((key[0], row["service_day"].replace(day=1)), {"shares": 0, "counted": 0})
            counts["shares"] += 1
            counts["counted"] += row["person"] is None or key not in seen
            seen.add(key)

    def add(self, row: Row, numbers: dict[str, int]) -> None:
        """What one row adds to its hour."""
        summed = self._hourly.setdefault((row["hip_id"], row["service_day"], row["hour"], row["queue"]), {})
        for name, number in numbers.items():
            summed[name] = summed.get(name, 0) + number

    def write(self) -> None:
        """Add up the hours to days, months and the whole state, and store all of them."""
        tables: dict[str, dict[tuple[Any, ...], Row]] = {name: {} for name in SUM_TABLES}
        for (hip_id, day, hour, queue), numbers in self._hourly.items():
            parts = {"hip_id": hip_id, "service_day": day, "hour": hour, "queue": queue, "month": day.replace(day=1)}
            for name, rows in tables.items():
                keys = self._archive.keys[name]
                key = tuple([parts[part] for part in keys])
                summed = rows.get(key)
                if summed is None:
                    summed = rows[key] = dict(zip(keys, key, strict=True))
                for column, number in numbers.items():
                    summed[column] = summed.get(column, 0) + number
        self._hourly = {}
        for name, rows in tables.items():
            self._archive.insert(name, (rows[key] for key in sorted(rows)))
        self._archive.insert("incentive_counts", self._incentive_counts(tables["monthly_sums"].values()))

    def _incentive_counts(self, months: Iterable[Row]) -> Iterator[Row]:
        """As the archive role counts them: with the month's sums at that moment."""
        summed: dict[tuple[str, date], dict[str, int]] = {}
        for row in months:
            of_month = summed.setdefault((row["hip_id"], row["month"]), {"tokens": 0, "acks_delivered": 0})
            for name in of_month:
                of_month[name] += row.get(name, 0)
        for (hip_id, month), sums in sorted(summed.items()):
            yield {"hip_id": hip_id, "month": month, **sums, **self._accepted.get((hip_id, month), {})}
        self._accepted = {}


def tokens_by_day(first: date, last: date, tickets: int) -> Iterator[tuple[date, int]]:
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    yield from zip(dates, shared_out(tickets, [WEEKDAYS[one.weekday()] for one in dates]), strict=True)


def fill(url: str, *, facilities: int, tickets: int, last: date, seed: int) -> int:
    """Write the year up to ``last``; returns how many rows."""
    archive = Archive(url)
    hospitals = [Facility(f"IN01{number:08d}", seed) for number in range(facilities)]
    seen: dict[str, list[date]] = {}
    sums, month = SumsOfMonth(archive), None
    weights = sizes(facilities)
    for on, total in tokens_by_day(last - timedelta(days=364), last, tickets):
        if month not in (None, on.replace(day=1)):
            sums.write()
        month = on.replace(day=1)
        day_tickets, day_shares = [], []
        for hospital, count in zip(hospitals, _of_day(total, weights, on), strict=True):
            if count:
                came, gave_none = hospital.day(on, count)
                day_tickets += came
                day_shares += gave_none
                seen.setdefault(hospital.hip_id, []).append(on)
        sums.count_for_incentive(day_tickets)
        for row in day_tickets:
            sums.add(row, of_ticket(row))
        for row in day_shares:
            sums.add(row, of_share(row))
        archive.insert("tickets", day_tickets)
        archive.insert("shares", day_shares)
        if on.day == 1:
            sys.stderr.write(f"{on}: {archive.rows} rows\n")
    sums.write()
    archive.insert("facilities", _facilities(hospitals, seen))
    archive.close()
    return archive.rows


def _of_day(total: int, weights: Sequence[float], on: date) -> list[int]:
    """The day's tokens by facility. Rounding falls on others each day, so that small facilities have some days too."""
    turn = on.toordinal() * 101 % len(weights)
    counts = shared_out(total, [*weights[turn:], *weights[:turn]])
    return [*counts[len(weights) - turn :], *counts[: len(weights) - turn]]


def _facilities(hospitals: Sequence[Facility], seen: dict[str, list[date]]) -> Iterator[Row]:
    for number, hospital in enumerate(hospitals):
        on = seen.get(hospital.hip_id)
        district = DISTRICTS[number % len(DISTRICTS)]
        kind = "Government Medical College" if number < len(DISTRICTS) else "Health Centre"
        yield {
            "hip_id": hospital.hip_id, "key": f"h{number:011d}", "name": f"{kind} {district} {number}",
            "district": district, "state": "Jammu and Kashmir", "timezone": "",
            "first_day": on[0] if on else None, "last_day": on[-1] if on else None,
        }  # fmt: skip


def before(folder: Path) -> Path:
    """The years before, as a file for ``kiosk history import``."""
    file = folder / "before.csv"
    lines = [f"JK,{one.date},{one.total},reported totals" for one in days() if one.total]
    file.write_text("\n".join(["hip_id,date,tokens,source", *lines]) + "\n")
    return file


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.history", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--url", help="archive to fill (default: reports/history/archive.db, made anew)")
    parser.add_argument("--facilities", type=int, default=FACILITIES)
    parser.add_argument("--tickets", type=int, default=TICKETS)
    parser.add_argument("--last", type=date.fromisoformat, default=date.today() - timedelta(days=1))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    folder = Path("reports/history")
    folder.mkdir(parents=True, exist_ok=True)
    if not args.url:
        for old in folder.glob("archive.db*"):
            old.unlink()
    url = args.url or f"sqlite:///{folder.resolve()}/archive.db"
    environment = os.environ | {"KIOSK_ARCHIVE_URL": url, "KIOSK_DATA_DIR": str(folder.resolve())}
    command = [sys.executable, "-m", "kiosk", "history", "import", str(before(folder))]
    subprocess.run(command, check=True, env=environment)
    began = time.perf_counter()
    rows = fill(url, facilities=args.facilities, tickets=args.tickets, last=args.last, seed=args.seed)
    took_s = time.perf_counter() - began
    sys.stdout.write(f"{rows} rows in {took_s:.0f} s: KIOSK_ARCHIVE_URL={url}\n")


if __name__ == "__main__":
    main()
