"""What a load needs: processors, processes, shards, memory, disk and network. Calculated from measured costs.

Only arithmetic. The measured costs ship with the program (``costs.json``). Every assumption has its reason beside it,
is shown in the answer, and can be changed.
"""

import math
from importlib.resources import files
from typing import Any, Final

import msgspec
from msgspec import Struct

from kiosk.live.pace import MOST_LISTENERS, REDRAW_S

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
FRAMES_PER_S_AT_MOST: Final = 1 / REDRAW_S
"""Of one facility."""
STORE_BASE_MB: Final = 64
"""An empty server, its journal's buffers and the copy-on-write of a small rewrite."""
REWRITE: Final = 1.6
"""Memory during a rewrite of the journal, divided by memory of the data. So the store may use 0.6 of a machine."""
OUT_BYTES_PER_SCAN: Final = 1_200
"""An on-share with its headers, and the responses to both calls."""


class Costs(Struct, frozen=True, kw_only=True):
    """The cost of one scan, ticket, frame or stream, measured on one machine (µs of one of its cores)."""

    measured: str
    machine: str
    web_us: float
    """Of a web worker, a scan."""
    store_us: float
    relay_us: float
    ticket_bytes: float
    """Memory of one ticket, sealed profile and all."""
    journal_bytes: float
    """Disk of one ticket in the journal, until it is rewritten."""
    web_mb: float
    """One worker with nothing to do."""
    relay_mb: float
    listener_kb: float
    """Memory of one open stream."""
    frame_us: float
    """Of a web worker, one picture to one listener."""
    frame_bytes: float
    scan_bytes: float
    """One share with its headers."""


class Load(Struct, frozen=True, kw_only=True):
    """A load, and the assumptions about its day."""

    name: str
    facilities: int
    scans_a_day: float
    busy_share: float = 0.67
    """Part of the day's scans in the busy hours: hospitals register from 8:30 to 11."""
    busy_hours: float = 2.5
    burst: float = 5.0
    """The worst seconds, divided by the mean of the busy hours: all gates open at the same time."""
    boards: float = 3.0
    """Displays in each facility."""
    pages: float = 0.3
    """Part of those waiting who have their ticket page open."""
    wait_minutes: float = 60.0
    """From scan to doctor. With the scans a second it gives the number of patients who wait at once."""
    hospital_a_day: float = 400.0
    """Scans a day of the hospital in which the average patient waits. Few are large; they have most patients."""
    changes_per_scan: float = 2.0
    """Changes of a screen for one patient: on arrival and on the call."""
    keep_days: float = 3.0
    """How long a ticket is kept in the store."""
    busy_at_most: float = 0.5
    """Part of a core that the worst seconds may use. The rest is a reserve."""


class Needs(Struct, frozen=True, kw_only=True):
    """The needs of a load in its worst seconds."""

    mean_per_s: float
    peak_per_s: float
    waiting: int
    listeners: int
    frames_per_s: float
    web_cores: float
    store_cores: float
    relay_cores: float
    workers: int
    relays: int
    shards: int
    """Stores of one core each; 1 is a single server, more are a cluster."""
    store_mb: int
    """All shards together, without replicas."""
    web_mb: int
    journal_mb_a_day: int
    network_in_mbit: float
    network_out_mbit: float

    @property
    def cores(self) -> float:
        """All parts together."""
        return self.web_cores + self.store_cores + self.relay_cores


POPULATION: Final = 1_450_000_000
VISITS_A_YEAR: Final = 3.0
"""Outpatient visits of one person in a year, public and private: surveys say two to four."""
OPD_DAYS: Final = 300

LOADS: Final = {
    "jk": Load(name="J&K, every public facility", facilities=3_607, scans_a_day=60_000),
    "india": Load(name="India today", facilities=533_000, scans_a_day=300_000, boards=0.05, hospital_a_day=1_000),
    "every-visit": Load(
        name="every OPD visit of India",
        facilities=533_000,
        scans_a_day=POPULATION * VISITS_A_YEAR / OPD_DAYS,
        boards=1.0,
        hospital_a_day=1_000,
    ),
}
"""By name. India today: most registered facilities do not take part yet, so few have a board."""


def shipped_costs() -> Costs:
    """The costs that the benchmark measured for this release."""
    return msgspec.json.decode(files("kiosk.capacity").joinpath("costs.json").read_bytes(), type=Costs)


def needs(load: Load, costs: Costs) -> Needs:
    """All needs, calculated from the scans in the worst seconds."""
    mean = load.scans_a_day * load.busy_share / (load.busy_hours * HOUR_S)
    peak = mean * load.burst
    waiting = load.scans_a_day * load.busy_share * min(1.0, load.wait_minutes / 60 / load.busy_hours)
    boards, pages = load.facilities * load.boards, waiting * load.pages
    frames = _frames_per_s(load, boards, pages, peak)
    web = _cores(peak * costs.web_us + frames * costs.frame_us, load)
    store, relay = _cores(peak * costs.store_us, load), _cores(peak * costs.relay_us, load)
    workers = max(1, math.ceil(web), math.ceil((boards + pages) / MOST_LISTENERS))
    relays = max(1, math.ceil(relay))
    tickets_mb = load.scans_a_day * load.keep_days * costs.ticket_bytes / 1024**2
    shards = max(1, math.ceil(store))
    return Needs(
        mean_per_s=mean,
        peak_per_s=peak,
        waiting=round(waiting),
        listeners=round(boards + pages),
        frames_per_s=frames,
        web_cores=web,
        store_cores=store,
        relay_cores=relay,
        workers=workers,
        relays=relays,
        shards=shards,
        store_mb=math.ceil(tickets_mb * REWRITE + shards * STORE_BASE_MB),
        web_mb=math.ceil(
            workers * costs.web_mb + relays * costs.relay_mb + (boards + pages) * costs.listener_kb / 1024
        ),
        journal_mb_a_day=math.ceil(load.scans_a_day * costs.journal_bytes / 1024**2),
        network_in_mbit=peak * costs.scan_bytes * 8 / 1e6,
        network_out_mbit=(peak * OUT_BYTES_PER_SCAN + frames * costs.frame_bytes) * 8 / 1e6,
    )


def _cores(us_per_s: float, load: Load) -> float:
    return us_per_s / 1e6 / load.busy_at_most


def _frames_per_s(load: Load, boards: float, pages: float, peak: float) -> float:
    """Boards are spread evenly over facilities. Ticket pages are where the patients are, so they change more often."""
    of_board = min(FRAMES_PER_S_AT_MOST, peak * load.changes_per_scan / load.facilities)
    hospital = load.hospital_a_day * load.busy_share / (load.busy_hours * HOUR_S) * load.burst
    of_page = min(FRAMES_PER_S_AT_MOST, hospital * load.changes_per_scan)
    return boards * of_board + pages * of_page


def as_json_object(load: Load, found: Needs) -> dict[str, Any]:
    """For programs: the assumptions and what follows from them."""
    return {"assumed": msgspec.to_builtins(load), "needs": msgspec.to_builtins(found) | {"cores": found.cores}}


ROWS: Final = (
    ("facilities", lambda load, _: f"{load.facilities:,}"),
    ("scans a day", lambda load, _: f"{load.scans_a_day:,.0f}"),
    ("scans/s, busy hours", lambda _, need: f"{need.mean_per_s:,.1f}"),
    ("scans/s, worst", lambda _, need: f"{need.peak_per_s:,.0f}"),
    ("waiting at once", lambda _, need: f"{need.waiting:,}"),
    ("open screens", lambda _, need: f"{need.listeners:,}"),
    ("pictures/s", lambda _, need: f"{need.frames_per_s:,.0f}"),
    ("cores: web", lambda _, need: f"{need.web_cores:,.2f}"),
    ("cores: store", lambda _, need: f"{need.store_cores:,.2f}"),
    ("cores: relay", lambda _, need: f"{need.relay_cores:,.2f}"),
    ("web workers", lambda _, need: f"{need.workers:,}"),
    ("relays", lambda _, need: f"{need.relays:,}"),
    ("store shards", lambda _, need: f"{need.shards:,}"),
    ("store memory", lambda _, need: size(need.store_mb)),
    ("web and relay memory", lambda _, need: size(need.web_mb)),
    ("journal a day", lambda _, need: size(need.journal_mb_a_day)),
    ("network in", lambda _, need: f"{need.network_in_mbit:,.1f} Mbit/s"),
    ("network out", lambda _, need: f"{need.network_out_mbit:,.1f} Mbit/s"),
)
"""The lines of the human-readable answer."""


def size(megabytes: float) -> str:
    """Human-readable size."""
    return f"{megabytes:,.0f} MB" if megabytes < 10_000 else f"{megabytes / 1024:,.0f} GB"
