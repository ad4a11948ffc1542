"""What the documentation lists is what the code has."""

import re
from pathlib import Path

import pytest

from kiosk.settings.table import TABLE
from tests.house import drawn_docs
from tests.house.forbidden_names import PARTS, WHOLE
from tests.house.test_arrows import FLOORS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DRAW = "run `make map`, or .venv/bin/python -m tests.house.drawn_docs"


def pages() -> list[Path]:
    """Everything that people read."""
    return [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "deploy").glob("*.md")]


@pytest.mark.parametrize("file", sorted({name for name, _, _ in drawn_docs.PARTS}))
def test_a_drawn_page_agrees_with_the_code(file: str) -> None:
    page = (DOCS / file).read_text("utf-8")
    assert all(drawn_docs.marked(marker).search(page) for name, marker, _ in drawn_docs.PARTS if name == file)
    assert page == drawn_docs.drawn(file), DRAW


def test_every_address_is_explained() -> None:
    silent = re.findall(r"^\| `(.* /.*)` \|  \|$", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE)
    assert silent == [], "write a sentence for each in docs/api.md"


def test_the_sample_of_an_environment_file_agrees_with_the_settings() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == drawn_docs.environment_sample(), DRAW


def test_the_glossary_explains_every_name_that_was_replaced() -> None:
    page = (DOCS / "glossary.md").read_text("utf-8").lower()
    old_words = {word for word in (*PARTS, *WHOLE) if word.islower()} - {"unpaid", "letters", "debts", "doors"}
    assert sorted(word for word in old_words if f"`{word}`" not in page) == []


def test_links_between_pages_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in link.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert dead == []


def test_files_that_pages_name_exist() -> None:
    """A path in backticks, like `kiosk/app.py`, must be there; ``my_…`` and ``xx.…`` are examples."""
    paths = re.compile(
        r"`((?!\S*(?:\bmy_|\bxx\.))(?:kiosk|queueing|tokens|loadtests|tests|deploy|docs)/[\w./-]+\.\w+)`"
    )
    gone = [
        f"{page.relative_to(ROOT)}: {path}"
        for page in pages()
        if page.name != "CHANGELOG.md"
        for path in paths.findall(page.read_text("utf-8"))
        if not (ROOT / path).exists()
    ]
    assert gone == []


def test_every_promise_names_tests_that_exist() -> None:
    rows = [line for line in (DOCS / "promises.md").read_text("utf-8").splitlines() if line.startswith("| ")][2:]
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = {row: re.findall(r"`(test_\w+)`", row) for row in rows}
    assert len(rows) > 20
    assert [row for row, names in named.items() if not names] == [], "a promise that no test keeps"
    assert [name for names in named.values() for name in names if f"def {name}(" not in tests] == []


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    alerts = re.findall(r"- alert: (\w+)", (ROOT / "deploy" / "alerts.yml").read_text("utf-8"))
    runbooks = re.findall(r"^### (Kiosk\w+)$", (DOCS / "operations.md").read_text("utf-8"), re.MULTILINE)
    assert len(alerts) > 5
    assert sorted(runbooks) == sorted(alerts)


def test_every_room_is_explained() -> None:
    page = (DOCS / "architecture.md").read_text("utf-8")
    rows = " ".join(re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE))
    rooms = {room for floor in FLOORS for room in floor}
    assert [room for room in sorted(rooms) if not re.search(rf"`{room}/?`", rows)] == [], "add a row to the rooms"


def test_every_key_of_the_store_is_listed() -> None:
    page = (DOCS / "architecture.md").read_text("utf-8")
    head = (ROOT / "queueing" / "functions" / "shared" / "facility.lua").read_text("utf-8")
    keys = re.findall(r"^--   ((?:root|\{partition\}):\S+)", head, re.MULTILINE)
    for file in ("redis_keys.py", "day_keys.py"):
        keys += re.findall(r'_KEY: Final = "([^"]+)"', (ROOT / "queueing" / file).read_text("utf-8"))
    assert len(keys) > 12
    assert [key for key in keys if f"`{key}`" not in page] == [], "add a row to docs/architecture.md"


def test_every_key_that_a_function_makes_of_a_facility_is_in_the_list() -> None:
    functions = ROOT / "queueing" / "functions"
    head = (functions / "shared" / "facility.lua").read_text("utf-8").partition("local ")[0]
    made = {
        (path.name, name)
        for path in functions.rglob("*.lua")
        for name in re.findall(r"root \.\. '(:[a-z]+)", path.read_text("utf-8"))
    }
    assert len({name for _, name in made}) > 12
    missing = sorted(f"{file}: root{name}" for file, name in made if not re.search(rf"root{name}\b", head))
    assert missing == [], "add it to the head of queueing/functions/shared/facility.lua"


def test_settings_that_pages_and_samples_of_a_deployment_name_exist() -> None:
    known = {setting.env for setting in TABLE} | {"KIOSK_CONFIG", "KIOSK_GATEWAY_CLIENT_SECRET_FILE"}
    known.add("KIOSK_DOMAIN")  # compose.yaml makes KIOSK_PUBLIC_URL of it
    samples = [path for path in (ROOT / "deploy").iterdir() if path.suffix != ".md"]
    assert {"compose.yaml", "kiosk.service", "nginx.conf", "Caddyfile"} <= {path.name for path in samples}
    strange = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in (*pages(), *samples, ROOT / "Dockerfile")
        if page.name != "CHANGELOG.md"
        for name in re.findall(r"KIOSK_[A-Z_]*[A-Z]", page.read_text("utf-8"))
        if name not in known
    ]
    assert strange == []


def test_every_threat_names_tests_that_exist_or_says_why_it_is_accepted() -> None:
    """A row: ``| T1 | threat | what prevents it | `file` `test`, `test`; `file` … | accepted |``."""
    page = (DOCS / "security.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| T")]
    assert [row[0] for row in rows] == [f"T{number}" for number in range(1, 41)]
    assert [row[0] for row in rows if not (row[3] or row[4])] == []
    gone = []
    for row in rows:
        for group in filter(None, row[3].split("; ")):
            file, *names = re.findall(r"`([^`]+)`", group)
            tests = (ROOT / file).read_text("utf-8") if (ROOT / file).is_file() else ""
            gone += [f"{row[0]}: {file} {name}" for name in names if f"def {name}(" not in tests]
            assert names, f"{row[0]}: {file} without a test"
    assert gone == []
