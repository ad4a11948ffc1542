"""Limits, defaults and times that the documents name are those of the code: each sentence here is made from its
constants and must stand in the page. Measured figures are no part of it.
"""

import re
from pathlib import Path

import pytest

from kiosk import health, key_upkeep
from kiosk.accounts import login_throttle, second_factor, service, sessions
from kiosk.archive import review_queries, today_queries
from kiosk.archive import role as archive_role
from kiosk.cli import csv_files
from kiosk.console import counters_needed, desk_view, period, review
from kiosk.delivery import courier, phone_alarms
from kiosk.live import hub, pace
from kiosk.locales import BOOK
from kiosk.runtime import process
from loadtests import shapes, soak
from loadtests.budget import PROMISES
from loadtests.chaos import __main__ as chaos
from loadtests.delivery import cases
from loadtests.history import figures
from loadtests.replay import __main__ as replay
from queueing import arrivals, links, push_phones, screens
from queueing.desk import LIKELY_MAX
from queueing.embedded import server
from queueing.store import connection

ROOT = Path(__file__).parents[2]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
OPERATIONS, PERFORMANCE, ARCHITECTURE = "docs/operations.md", "docs/performance.md", "docs/architecture.md"


def word(number: float) -> str:
    """``three``, and digits above twelve."""
    return NUMBERS[int(number)] if number == int(number) and number < len(NUMBERS) else f"{number:,g}"


def constant(file: str, name: str) -> int:
    """A whole number that a script or a function of the store names."""
    text = (ROOT / file).read_text("utf-8")
    found = re.search(rf"\b(?:const|local) {name} = ([\d_]+(?: \* [\d_]+)*)", text)
    assert found, f"{file}: {name}"
    product = 1
    for factor in found[1].split(" * "):
        product *= int(factor)
    return product


def script(file: str, name: str) -> float:
    """Milliseconds of a page's script, in seconds."""
    return constant(f"kiosk/static/{file}", name) / 1_000


def store(name: str, file: str = "facility") -> int:
    return constant(f"queueing/functions/shared/{file}.lua", name)


def bound(promise: str) -> float:
    return PROMISES[promise].bound


CASES = [
    (OPERATIONS, f"within {word(connection.FACTS_EVERY_S)} seconds while the service runs"),
    (OPERATIONS, f"says nothing for {word(script('js/line.js', 'FIRST_WORD_MS'))} seconds"),
    (OPERATIONS, f"`GET /live/{{hip_id}}/now` about every {word(script('js/line.js', 'ASK_MS'))} seconds"),
    (OPERATIONS, f"twice as long each time, up to {word(script('js/line.js', 'LONGEST_RETRY_MS') / 60)} minutes"),
    (OPERATIONS, f"small letters for its first {word(script('js/screen.js', 'SET_UP_MS') / 60)} minutes"),
    (OPERATIONS, f"loads it after {word(script('console/desk.js', 'IDLE_MS') / 60)} minutes without a key press"),
    (OPERATIONS, f"tried again, {word(1 + len(phone_alarms.PACE_S))} times within eighty seconds"),
    (OPERATIONS, f"same weekday of the last {word(today_queries.WEEKS)} weeks"),
    (OPERATIONS, f"for ranges of at most {today_queries.COUNTERS_DAYS} days"),
    (OPERATIONS, f"called within {counters_needed.WITHIN_MIN} minutes"),
    (OPERATIONS, f"visits of the last {today_queries.MEASURED_DAYS} days"),
    (OPERATIONS, f"`?from=2026-09-21&to=2026-09-27`, at most {period.DAYS_MAX}."),
    (OPERATIONS, f"of the last {word(review_queries.LIVE_DAYS)} days, older, or none"),
    (OPERATIONS, f"counts changed months again every {word(archive_role.COUNT_EVERY_S / 60)} minutes"),
    (OPERATIONS, f"more than {review.LINES_MAX:,} lines is not offered"),
    (OPERATIONS, f"its first {word(csv_files.MISTAKES_MAX)} mistakes".replace("20", "twenty")),
    (OPERATIONS, f"shows the QR and, once, {word(second_factor.RECOVERY_CODES)} recovery codes"),
    (OPERATIONS, f"It is good for {service.FIRST_PASSWORD_S // 3_600} hours"),
    (OPERATIONS, f"Below {health.DISK_ROOM_BYTES >> 20} MiB of free space"),
    (OPERATIONS, f"as soon as {server.ROOM_BYTES >> 20} MiB are free"),
    (OPERATIONS, f"by less than {health.DAYS_APART_S / 3_600:g} hours"),
    (OPERATIONS, f"or one of the {word(store('CLOSED_DAYS', 'clock'))} after it"),
    (OPERATIONS, f"was right for {key_upkeep.SEAL_REFRESH_S // 60} minutes"),
    (OPERATIONS, f"More than {health.BACKLOG_MANY:,} replies wait"),
    ("deploy/alerts.yml", f"kiosk_replies_pending > {health.BACKLOG_MANY}"),
    (OPERATIONS, f"did not take an event for {word(courier.PARK_AFTER_MS / 86_400_000)} days"),
    (OPERATIONS, f"The store keeps events for {word(store('EVENT_DAYS'))} days"),
    (OPERATIONS, f"more than {desk_view.PROFILES_IN_TEN_MINUTES} patients' profiles in ten minutes"),
    (PERFORMANCE, f"Up to {word(arrivals.TOGETHER)} arrivals of one turn of the event loop share a call"),
    (PERFORMANCE, f"to which queue each of {LIKELY_MAX:,} counter texts led"),
    (PERFORMANCE, f"gathered for {hub.GATHER_S:g} s"),
    (PERFORMANCE, f"rests {hub.REST_S * 1_000:g} to {pace.REDRAW_S * 1_000:g} ms"),
    (
        PERFORMANCE,
        f"it rests {archive_role.REST:g} times as long, and {word(archive_role.REST_WHEN_LATE)} times as long",
    ),
    (PERFORMANCE, f"while it is more than {word(archive_role.LATE_MS / 60_000)} minutes late"),
    (PERFORMANCE, f"A second key within {script('console/scanner.js', 'FAST_MS') * 1_000:g} ms"),
    (PERFORMANCE, f"| real callback ÷ yardstick | ≥ {bound('callback_ratio'):g} |"),
    (PERFORMANCE, f"| complete loop ÷ yardstick | ≥ {bound('loop_ratio'):g} |"),
    (PERFORMANCE, f"10 → 10,000 waiting | < +{bound('waiting_growth') * 100 - 100:.0f} % |"),
    (PERFORMANCE, f"| listeners on one machine | {bound('listeners'):,.0f} |"),
    (PERFORMANCE, f"a quarter of the loop's limit | < {bound('call_to_screen_p99_ms'):g} ms |"),
    (PERFORMANCE, f"sealed envelope included | ≤ {bound('ticket_bytes') / 1_024:g} KB |"),
    (PERFORMANCE, f"delivered within {bound('delivered_p99_ms') / 1_000:g} s (p99)"),
    (PERFORMANCE, f"API below {bound('api_p99_ms'):g} ms (p99)"),
    (PERFORMANCE, f"10 in its last two; {bound('web_mb_an_hour'):g} are allowed"),
    (PERFORMANCE, f"reads memory and open files every {word(soak.STEP_S)} seconds"),
    (PERFORMANCE, f"the same with {shapes.FESTIVAL:g} times the people"),
    (PERFORMANCE, f"chapters of some {replay.CHAPTER_TOKENS:,} tokens"),
    (PERFORMANCE, f"{chaos.WHOLE} faults of each kind, a kiosk with {word(chaos.WORKERS)} workers"),
    (PERFORMANCE, f"a second, on {chaos.CONNECTIONS} connections"),
    (PERFORMANCE, f"{cases.ARRIVE_PER_S:g} scans/s with {word(cases.ARRIVE_WEBHOOKS)} webhooks"),
    (PERFORMANCE, f"{cases.API_PER_S:g} API requests/s"),
    (PERFORMANCE, f"{figures.EXPORT_ROWS_S:,} rows a second or takes {figures.EXPORT_MB} MB"),
    (ARCHITECTURE, f"newest first | {store('LAST_CALLS')} |"),
    (ARCHITECTURE, f"for the wait estimate | {store('PACE_CALLS')} |"),
    (ARCHITECTURE, f"by member of staff | {store('UNDO_MOVES')} each, one hour |"),
    (ARCHITECTURE, f"| {links.PERSON_KEPT_S // 86_400} days |"),
    (
        ARCHITECTURE,
        f"| {push_phones.FACILITY_MAX} tickets, {constant('queueing/functions/push.lua', 'PER_TICKET')} each;",
    ),
    (ARCHITECTURE, f"at which counter | {store('SEATS_MAX', 'desks')};"),
    (ARCHITECTURE, f"; {word(store('SEAT_MS', 'desks') / 60_000)} minutes |"),
    (ARCHITECTURE, f"last reported | {screens.SCREENS_MAX}; until removed |"),
    (ARCHITECTURE, f"| about {store('AUDIT_KEPT', 'audit'):,} entries |"),
    (ARCHITECTURE, f"could not be delivered | {constant('queueing/functions/outbox.lua', 'PARKED_KEPT'):,};"),
    (ARCHITECTURE, f"hints for screens | about {store('CHANGES_KEPT'):,} entries |"),
    (
        ARCHITECTURE,
        f"for integrations | {store('EVENT_DAYS')} days at least; above about {store('EVENTS_KEPT'):,} entries",
    ),
    (ARCHITECTURE, f"sessions {sessions.LONGEST_S // 3_600} hours"),
    (ARCHITECTURE, f"attempts {login_throttle.LIMITS.window_s // 60} minutes"),
    (ARCHITECTURE, f"devices {sessions.DEVICE_S // 86_400} days"),
    (ARCHITECTURE, f"a share of the processor (niceness {process.BACKGROUND_NICENESS} and no idle policy)"),
    ("README.md", f"shows the called number in {word(len(BOOK))} languages"),
    ("README.md", f"gets them later, for {word(courier.PARK_AFTER_MS / 86_400_000)} days"),
]


@pytest.mark.parametrize(("page", "sentence"), CASES)
def test_a_page_names_the_number_of_the_code(page: str, sentence: str) -> None:
    text = " ".join((ROOT / page).read_text("utf-8").replace("\\\n", "").split())
    assert sentence in text, f"{page}: say there what the code does, or change this sentence with the page's"


def test_numbers_are_written_as_the_pages_write_them() -> None:
    assert [word(number) for number in (3, 10.0, 0.5, 20_000)] == ["three", "ten", "0.5", "20,000"]


@pytest.mark.parametrize(
    ("row", "arrow"),
    [
        ("The screen shows ABDM's QR", "QR: hip-id"),
        ("The gateway posts the profile", "POST /api/v3/hip/patient/share"),
        ("The body is decoded once", "read the body once"),
        ("`checkin` reads the counter code", "one call: enqueue"),
        ("The endpoint answers 202", "202"),
        ("A relay claims the pending reply", "claim the pending reply"),
        ("Each process has one reader of changes", "change: this facility has something new"),
        ("*Next* finishes the patient", "the clerk presses Next"),
    ],
)
def test_the_steps_of_the_story_have_the_numbers_of_its_drawing(row: str, arrow: str) -> None:
    page = (ROOT / "docs/how-a-scan-travels.md").read_text("utf-8")
    arrows = re.findall(r"^    \w+--?>>\w+: (.*)$", page, re.MULTILINE)
    [number] = [number for number, label in enumerate(arrows, start=1) if arrow in label]
    assert re.search(rf"^\| {number}(?:–\d+)? \| {re.escape(row)}", page, re.MULTILINE), f"{row}: it is step {number}"
