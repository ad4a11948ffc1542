"""``kiosk export`` and ``kiosk history``: files in and out of the archive."""

import csv
import io
import json
import stat
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kiosk.__main__ import program
from kiosk.archive import queries, schema
from kiosk.archive.database import Database
from kiosk.cli.running import CommandFailed
from tests.kiosk.archive.archived import rows
from tests.kiosk.archive.rows import HIP, insert, share, ticket

OTHER = "IN0110000456"


@pytest.fixture
def kiosk(database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Commands on a database that knows two facilities, one of them in another time zone."""
    monkeypatch.setenv("KIOSK_ARCHIVE_URL", database_url)
    monkeypatch.setenv("KIOSK_DATA_DIR", str(tmp_path / "data"))
    named = {"name": "Hospital", "district": "", "state": "", "first_day": None, "last_day": None}
    insert(database, schema.facilities, named | {"hip_id": HIP, "key": "a" * 12, "timezone": ""})
    insert(database, schema.facilities, named | {"hip_id": OTHER, "key": "b" * 12, "timezone": "UTC"})
    return CliRunner()


def run(kiosk: CliRunner, *arguments: str) -> Result:
    return kiosk.invoke(program, arguments, catch_exceptions=False)


def failure(kiosk: CliRunner, *arguments: str) -> str:
    with pytest.raises(CommandFailed) as failed:
        kiosk.invoke(program, arguments, catch_exceptions=False, standalone_mode=False)
    return str(failed.value)


RANGE = ("--from", "2026-09-21", "--to", "2026-09-21")


def test_tickets_are_exported_as_a_file_that_excel_reads(kiosk: CliRunner, database: Database, tmp_path: Path) -> None:
    insert(database, schema.tickets, ticket(1), ticket(2, hip_id=OTHER, state="waiting", ended_ms=0, person=None))
    insert(database, schema.tickets, ticket(3, service_day=date(2026, 9, 22)))
    out = tmp_path / "tickets.csv"
    done = run(kiosk, "export", "tickets", *RANGE, "--out", str(out))
    assert done.stderr == "2 rows of 2026-09-21 written\n"
    assert out.read_bytes().startswith(b"\xef\xbb\xbfservice_day,facility,number,token,")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in {".csv", ".part"}) == ["tickets.csv"]
    first, second = csv.DictReader(out.read_text("utf-8-sig").splitlines())
    assert (first["facility"], first["token"], first["state"]) == (HIP, "M-001", "done")
    assert first["arrived_at"] == "2026-09-21T19:43:20.000+05:30"
    assert first["acknowledged_at"] == "2026-09-21T19:43:20.800+05:30"
    assert (first["request_id"], first["person"]) == ("request-1", (1).to_bytes(16).hex())
    assert second["arrived_at"] == "2026-09-21T14:13:20.000+00:00"
    assert (second["ended_at"], second["person"], second["first_day"]) == ("", "", "1")
    assert not {"hour", "cursor"} & first.keys()


def test_an_audit_without_a_seal_yet_says_when_there_is_one(kiosk: CliRunner) -> None:
    proved = run(kiosk, "audit", "verify")
    assert proved.output == "0 lines and 0 daily seals fit; the first seal is made after midnight UTC\n"


def test_no_cell_is_a_formula(kiosk: CliRunner, database: Database) -> None:
    insert(database, schema.tickets, ticket(1, request_id="=HYPERLINK(1)", counter="-2"))
    (row,) = csv.DictReader(io.StringIO(run(kiosk, "export", "tickets", *RANGE).stdout.removeprefix("\ufeff")))
    assert (row["request_id"], row["counter"]) == ("'=HYPERLINK(1)", "'-2")
    line = json.loads(run(kiosk, "export", "tickets", *RANGE, "--format", "jsonl").stdout)
    assert line["request_id"] == "=HYPERLINK(1)", "programs get what was stored"


def test_shares_are_exported_as_lines_of_json(kiosk: CliRunner, database: Database) -> None:
    insert(
        database, schema.shares, share(1), share(2, hip_id=OTHER, kind="repeated", refusal="", ticket="20717-3", ack="")
    )
    lines = run(kiosk, "export", "shares", *RANGE, "--format", "jsonl").stdout.splitlines()
    first, second = map(json.loads, lines)
    assert (first["kind"], first["refusal"], first["ticket"]) == ("refused", "closed_queue", None)
    assert first["shared_at"] == "2026-09-21T19:43:20.000+05:30"
    assert (second["acknowledgement"], second["ticket"]) == (None, "20717-3")
    own = run(kiosk, "export", "shares", *RANGE, "--facility", OTHER, "--format", "jsonl").stdout.splitlines()
    assert own == lines[1:]


def test_a_range_that_ends_before_it_begins_and_an_unknown_facility_are_said(kiosk: CliRunner) -> None:
    assert "--from 2026-09-22 is after --to 2026-09-21" in failure(
        kiosk, "export", "tickets", "--from", "2026-09-22", "--to", "2026-09-21"
    )
    assert "knows no facility IN0000000000" in failure(kiosk, "export", "tickets", *RANGE, "--facility", "IN0000000000")


def test_an_export_without_an_archive_says_so(
    kiosk: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIOSK_ARCHIVE_URL", f"sqlite:///{tmp_path}/nowhere.db")
    assert "there is no archive yet" in failure(kiosk, "export", "tickets", *RANGE)
    assert not (tmp_path / "nowhere.db").exists()


def history(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "history.csv"
    file.write_text("\n".join(("hip_id,date,tokens,source", *lines)), "utf-8")
    return str(file)


def test_totals_of_the_time_before_are_imported_and_replaced(
    kiosk: CliRunner, database: Database, tmp_path: Path
) -> None:
    first = history(tmp_path, f"{HIP},2026-03-30,1200,dashboard", f"{HIP},2026-03-31,900,", "IN0199,2026-03-31,5,")
    done = run(kiosk, "history", "import", first, "--json")
    assert json.loads(done.stdout) == {"imported": 3, "unknown_facilities": ["IN0199"]}
    assert run(kiosk, "history", "import", history(tmp_path, f"{HIP},2026-03-31,950,")).stdout == "1 totals imported\n"
    with database.reading() as connection:
        day = date(2026, 3, 31)
        assert queries.imported(connection, date(2026, 3, 30), date(2026, 3, 30), hip_id=HIP) == 1200
        assert queries.imported(connection, day, day, hip_id=HIP) == 950
        assert queries.sums(connection, date(2026, 1, 1), day) == {}, "imported totals are no sums of ours"


def test_a_file_with_a_bad_line_imports_nothing_and_names_it(
    kiosk: CliRunner, database: Database, tmp_path: Path
) -> None:
    bad = history(
        tmp_path,
        f"{HIP},2026-03-30,1200,",
        f"{HIP},31-03-2026,900,",
        f"{HIP},2026-03-30,7,",
        f"{HIP},2999-01-01,1,",
        f"{HIP},2026-03-29,many,",
    )
    sentence = failure(kiosk, "history", "import", bad)
    assert "4 mistakes, nothing was written" in sentence
    for part in (
        "line 3, column date: is no date",
        "line 4, column date: stands in line 2 already",
        "line 5",
        "line 6",
    ):
        assert part in sentence
    assert rows(database, schema.imported_totals) == []


def test_only_the_first_twenty_mistakes_are_listed(kiosk: CliRunner, tmp_path: Path) -> None:
    sentence = failure(kiosk, "history", "import", history(tmp_path, *[f"{HIP},never,{n}," for n in range(50)]))
    assert sentence.count("column date") == 20


HEAD = "hip_id,date,tokens,source\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (f"{HEAD}{HIP},2024-01-02,5,x\n{HIP},2024-01-03,5,Zähler\n".encode("cp1252"), "line 3: not UTF-8"),
        (f"{HEAD}{HIP},2024-01-02,5,x\n".encode("utf-16"), "line 1: not UTF-8"),
        (f"{HEAD}{HIP},2024-01-02,5,x\n".replace(",", ";"), "line 1: columns are separated by semicolons"),
        (f"{HEAD}{HIP},02/01/2024,5,x\n", "1 mistake, nothing was written: line 2, column date: is no date written as"),
        (f"{HEAD}{HIP},2024-01-02,5,x\n{HIP},2024-01-02,5,x\n", "line 3, column date: stands in line 2 already"),
        (f"{HEAD}{HIP},2024-01-02,-5,x\n", "line 2, column tokens: is no whole number"),
        (f"{HEAD}{HIP},2024-01-02,99999999999999999999,x\n", "line 2, column tokens: is no whole number"),
        (f'{HEAD}{HIP},2024-01-02,"1,234",x\n', "line 2, column tokens: is no whole number"),
        (f"{HEAD}{HIP},2024-01-02,NaN,x\n", "line 2, column tokens: is no whole number"),
        (f"{HEAD}{HIP},2024-01-02,,x\n", "line 2, column tokens: is no whole number"),
        (f"{HEAD}{HIP},2024-01-02,5,a\0b\n", "line 2, column source: holds the character U+0000"),
        (f"{HEAD}{HIP},2024-01-02,5,{'x' * 10_000}\n", "line 2: not CSV"),
        (f'{HEAD}{HIP},2024-01-02,5,"x\n{HIP},2024-01-03,5,x\n', "not CSV"),
        (HEAD + "".join(f"IN{n},2024-01-02,5,x\n" for n in range(5000)) + "IN1,never,5,x\n", "line 5002, column date"),
    ],
)
def test_an_ugly_file_is_refused_by_line_and_imports_nothing(
    kiosk: CliRunner, database: Database, tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    file = tmp_path / "history.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    assert sentence in failure(kiosk, "history", "import", str(file))
    assert rows(database, schema.imported_totals) == []


def test_what_a_spreadsheet_in_india_writes_is_imported(kiosk: CliRunner, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    lines = (f"{HIP},२०२४-०१-०२,१२,x", f"{HIP},2024-01-03,۱۳,x,,", f"{HIP},2024-01-04,14.0,डैशबोर्ड")
    file.write_bytes("\r\n".join((f"\ufeff{HEAD.strip()}", *lines, "")).encode())
    assert run(kiosk, "history", "import", str(file)).stdout == "3 totals imported\n"
    assert [row["tokens"] for row in rows(database, schema.imported_totals)] == [12, 13, 14]


def pillar_file(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "pillars.csv"
    file.write_text("\n".join(("pillar,date,value,target,source", *lines)), "utf-8")
    return str(file)


def test_pillars_are_imported_and_replaced(kiosk: CliRunner, database: Database, tmp_path: Path) -> None:
    file = pillar_file(tmp_path, "facilities_on_hfr,2025-07-14,3607,,Press note", "tokens,2026-04-01,,10000000,Plan")
    assert json.loads(run(kiosk, "history", "pillars", file, "--json").stdout) == {"imported": 2}
    again = pillar_file(tmp_path, "facilities_on_hfr,2025-07-14,3608,4000,HFR")
    assert run(kiosk, "history", "pillars", again).stdout == "1 lines of pillars imported\n"
    found = {row["pillar"]: row for row in rows(database, schema.pillars)}
    assert (found["facilities_on_hfr"]["value"], found["facilities_on_hfr"]["source"]) == (3608, "HFR")
    assert (found["tokens"]["value"], found["tokens"]["target"]) == (None, 10_000_000)


def test_pillars_with_a_mistake_import_nothing_and_each_mistake_is_named(
    kiosk: CliRunner, database: Database, tmp_path: Path
) -> None:
    sentence = failure(
        kiosk, "history", "pillars",
        pillar_file(
            tmp_path, "facilities_on_hfr,2025-07-14,3607,,Press", "hospitals,2025-07-14,1,,Press",
            "records_linked,2025-07-14,,,Press", "tokens,2025-07-14,5,,Press", "records_linked,2025-07-14,7,,",
            "facilities_on_hfr,2025-07-14,1,,Other",
        ),
    )  # fmt: skip
    assert "5 mistakes, nothing was written" in sentence
    for part in (
        "line 3, column pillar: is none of", "line 4, column value: is empty",
        "line 5, column value: must be empty: tokens is counted here", "line 6, column source: is empty",
        "line 7, column date: stands in line 2 already",
    ):  # fmt: skip
        assert part in sentence
    assert rows(database, schema.pillars) == []
