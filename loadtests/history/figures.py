"""``python -m loadtests.history.figures``: what pages and exports take while a year of the whole state is archived.

Starts a kiosk of its own on the archive that ``python -m loadtests.history`` made, opens every page of *today* and
*review* as a state administrator, and exports the year. It ends with 1 when a page or the export misses its bound. The
archive's names of one facility change, nothing else.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from msgspec import json

from loadtests.history.pages import all_pages, measure
from loadtests.simulator.gateway.launch import ROOT
from loadtests.stack import add_facilities, command, hip_ids, serving

EXPORT_ROWS_S, EXPORT_MB = 50_000, 200
"""Rows a second at least, and memory at most, of an export."""
COUNTERS: Final = 5
DISTRICT: Final = "Jammu"
"""One of a facility's neighbours: ``loadtests.history`` spreads facilities over twenty."""
LOGIN: Final = "overseer"


def last_day(url: str) -> date:
    """The last day that has tokens."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT max(service_day) FROM state_sums WHERE tokens > 0")).scalar()
    engine.dispose()
    if found is None:
        raise SystemExit("the archive is empty: run `make history` first")
    return found if isinstance(found, date) else date.fromisoformat(str(found))


def environment_of(url: str, data: Path) -> dict[str, str]:
    """The settings of a kiosk on this archive; it logs warnings alone."""
    known = {name: text for name, text in os.environ.items() if not name.startswith("KIOSK_")}
    return known | {
        "PYTHONPATH": str(ROOT),
        "KIOSK_PORT": "0",
        "KIOSK_DATA_DIR": str(data),
        "KIOSK_ARCHIVE_URL": url,
        "KIOSK_LOG_LEVEL": "warning",
    }


async def pages(environment: dict[str, str], folder: Path, last: date, times: int) -> bool:
    """Measure the pages. False when one is too slow."""
    async with serving(environment) as (kiosk_url, _):
        (hip,) = hips = hip_ids(1, first=0)  # the largest
        await add_facilities(environment, folder, hips, COUNTERS)
        added = await command(environment, "staff", "add", LOGIN, "--facility", "*", "--role", "admin", "--json")
        paths = all_pages(hip, DISTRICT, last)
        return await measure(kiosk_url, LOGIN, json.decode(added)["password"], paths, times)


def export(environment: dict[str, str], folder: Path, last: date, form: str) -> bool:
    """Export the year up to this day. False when it is slower or larger than it may be."""
    file, first = folder / f"year.{form}", last - timedelta(days=364)
    arguments = ("export", "tickets", "--from", str(first), "--to", str(last), "--format", form, "--out", str(file))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "kiosk", *arguments], env=environment, stderr=subprocess.PIPE)
    _, trouble = child.communicate()
    took_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        raise SystemExit(trouble.decode(errors="replace"))
    rows = int(trouble.split()[0])
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak_mb = after.ru_maxrss / 1024  # of the largest child so far
    sys.stdout.write(
        f"export of {rows} tickets as {form}: {rows / took_s:.0f} rows/s ({rows / cpu_s:.0f} a second of processor),"
        f" {file.stat().st_size / 2**20:.0f} MB written, at most {peak_mb:.0f} MB of memory\n"
    )
    file.unlink()
    return rows / took_s >= EXPORT_ROWS_S and peak_mb < EXPORT_MB


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.history.figures", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--url", default=f"sqlite:///{ROOT}/reports/history/archive.db", help="archive to read")
    parser.add_argument("--times", type=int, default=100, help="openings of each page")
    parser.add_argument("--only", choices=["pages", "export"], help="one half of it")
    args = parser.parse_args()
    last = last_day(args.url)
    load = os.getloadavg()[0]
    sys.stdout.write(f"a year until {last}; load of the machine before: {load:.1f}\n")
    with tempfile.TemporaryDirectory(prefix="kiosk-figures-") as name:
        folder = Path(name)
        environment, is_good = environment_of(args.url, folder / "data"), True
        if args.only != "pages":  # first: later, the kiosk's processes would count as children
            exports = [export(environment, folder, last, form) for form in ("csv", "jsonl")]
            is_good = all(exports)
        if args.only != "export":
            is_good = asyncio.run(pages(environment, folder, last, args.times)) and is_good
    raise SystemExit(0 if is_good else 1)


if __name__ == "__main__":
    main()
