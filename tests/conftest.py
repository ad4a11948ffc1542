"""What every test may ask for: asyncio, and a real Valkey under our own supervisor."""

import gc
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from queueing.embedded.server import EmbeddedValkey
from queueing.store.store import Store, open_store

if TYPE_CHECKING:
    from playwright.async_api import Browser

# Tests start the program some hundred times. Where this variable is set, as it is in many containers, each start
# compiles all sources again, which costs more than half a second of processor time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

MEMORY = "/dev/shm"
ROOM = 4 << 30
"""Bytes that must be free there. A whole run needs a quarter of it."""


def is_roomy(folder: str) -> bool:
    """Whether programs can be run and much can be stored there."""
    try:
        place = os.statvfs(folder)
        memory = dict(line.split()[:2] for line in Path("/proc/meminfo").read_text().splitlines())
    except OSError:
        return False
    free = min(place.f_bavail * place.f_frsize, int(memory.get("MemAvailable:", 0)) << 10)
    return free > ROOM and not place.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK)


# Stores write each change to their disk before they answer, some hundred thousand times in a run. Where there is room,
# that disk is memory: no test cuts the power.
if "TMPDIR" not in os.environ and is_roomy(MEMORY):
    os.environ["TMPDIR"] = MEMORY
    tempfile.tempdir = None

# Examples have no time limit, and may be slow to make: a busy machine is no fault of what is tested.
settings.register_profile("kiosk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Of make quick: a tenth of the examples finds what a change broke outright, and the whole run tries the rest.
settings.register_profile("quick", settings.get_profile("kiosk"), max_examples=10)
settings.load_profile("kiosk")

SLOW_FILES = (
    "kiosk/abdm/test_relay_outages.py",  # replies are tried again after real pauses
    "journeys/",  # whole hospitals with browsers
    "kiosk/archive/",  # a PostgreSQL of its own, and roles that are killed
    "kiosk/cli/",  # a process of its own for many commands
    "kiosk/console/test_archived_audit.py",  # each test on SQLite and on a PostgreSQL
    "kiosk/console/test_measured_pages.py",
    "kiosk/console/test_posters_page.py",  # sheets are drawn
    "kiosk/console/test_review.py",
    "kiosk/console/test_slip_printing.py",  # pictures are drawn, and a printer lets us wait
    "kiosk/console/test_today",
    "kiosk/delivery/test_killed_role.py",  # a role that is killed
    "kiosk/delivery/test_mllp.py",  # receivers that answer late or never
    "kiosk/delivery/test_role.py",  # receivers that answer late or never
    "kiosk/demo/",  # whole demonstrations
    "kiosk/live/test_stream.py",  # waits until a stalled reader is cut off
    "kiosk/observability/test_alerts_on_trouble.py",  # process trees
    "kiosk/observability/test_true_metrics.py",
    "kiosk/posters/",  # sheets are drawn and read back
    "kiosk/runtime/",  # process trees, some of which are killed
    "kiosk/security/test_lost_key_ring.py",  # process trees
    "kiosk/security/test_own_ca.py",
    "kiosk/security/test_stolen_key_ring.py",
    "kiosk/test_route_access.py",  # every route, tried by ten kinds of callers
    "kiosk/test_earlier_release.py",  # starts the program on an older data folder
    "kiosk/voice/test_recording.py",  # recordings are read
    "kiosk/voice/test_rendering.py",  # a voice speaks
    "loadtests/",  # gateways, services and loads in processes of their own
    "queueing/embedded/test_damaged_journal.py",  # a server of its own for each test
    "queueing/embedded/test_embedded.py",  # a server of its own for each test
    "queueing/embedded/test_journal.py",  # a server of its own for each test
    "queueing/store/test_cluster.py",  # clusters of several servers
    "queueing/test_against_model.py",  # thousands of random steps
    "queueing/test_week.py",  # a week of moves
    "queueing/test_whole_on_a_cluster.py",
    "supply_chain/",  # programs that read every package
    "tokens/test_qr.py",  # draws and reads hundreds of pictures
)
"""What ``make quick`` leaves out, beside the tests that are marked by hand."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Thousands of tests and all modules stay to the end. The garbage collector need not look at them, neither while
    they are made nor each time it runs later.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def is_slow(path: Path) -> bool:
    return path.relative_to(Path(__file__).parent).as_posix().startswith(SLOW_FILES)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """``make quick`` does not even import a slow file."""
    leaves_out = "not slow" in str(config.option.markexpr) and collection_path.is_file()
    return True if leaves_out and is_slow(collection_path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what opens a browser, and what lies in a slow file. Beside other processes these go first."""
    for item in items:
        fixtures: tuple[str, ...] = tuple(getattr(item, "fixturenames", ()))
        if {"shared_browser", "loud_browser", "whole_browser"} & set(fixtures):
            item.add_marker("browser")
        if is_slow(item.path):
            item.add_marker("slow")
    processes = int(getattr(config, "workerinput", {}).get("workercount", 1))
    if processes > 1:
        items[:] = long_ones_first(items, processes)


def long_ones_first(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The same tests in another order. Each process begins with an equal share of neighbours, and one that has done its
    own takes the last of another's. So each share begins with browsers and slow files, and ends with short tests: at
    the end nobody waits for one long test. Files stay whole and in order, since they share what took long to start.
    """
    files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    long = [tests for tests in files if any(is_long(item) for item in tests)]
    short = [item for tests in files if not any(is_long(item) for item in tests) for item in tests]
    whole, begun = sum(map(weight, long)), 0
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for tests in long:
        shares[processes * begun // whole] += tests
        begun += weight(tests)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        end = len(items) * (number + 1) // processes
        room = max(0, end - len(ordered) - len(share))
        ordered += [*share, *short[:room]]
        del short[:room]
    return [*ordered, *short]


def is_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("browser", "slow"))


def weight(tests: list[pytest.Item]) -> int:
    """Roughly how long a file takes: a test in a browser some seconds, hundreds of small ones as long as fifteen."""
    return 3 * sum(item.get_closest_marker("browser") is not None for item in tests) + min(len(tests), 15)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """One embedded server for the whole run, on a private socket."""
    with tempfile.TemporaryDirectory(prefix="kiosk-tests-") as folder:
        with EmbeddedValkey(Path(folder) / "data", maxmemory_bytes=256 << 20) as server:
            yield server.operator_url


@pytest.fixture(scope="session")
async def shared_browser() -> AsyncIterator["Browser"]:
    """One browser for all tests that need none with switches of its own."""
    from tests import browser  # imported here: Playwright takes a third of a second, and few tests need it

    async with browser.chromium("--disable-quic") as opened:
        yield opened


@pytest.fixture
async def chromium(shared_browser: "Browser") -> AsyncIterator["Browser"]:
    """A browser in which each test opens its own pages. What it left open is closed."""
    from tests import browser

    yield shared_browser
    await browser.close_pages(shared_browser)


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    """An open store with nothing in it."""
    opened = await open_store(valkey_url)
    await opened.each_primary("FLUSHALL")
    yield opened
    await opened.close()
