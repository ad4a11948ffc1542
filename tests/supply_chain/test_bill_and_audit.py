"""The bill of materials, the list of licences, and an audit that never passes without data."""

import json
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.supply_chain import audit, bill
from tests.supply_chain.locked import RUN, normal, shipped

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
CLEAN = [{"name": "redis", "version": "8.1.0", "vulns": []}]
BAD = [{"name": "jinja2", "version": "2.10", "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}]}]
UNKNOWN = [{"name": "jinja2", "skip_reason": "Dependency not found"}]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return bill.whole_bill()


@pytest.mark.proof
def test_the_bill_names_every_shipped_package_with_version_hashes_and_licence(made: dict[str, Any]) -> None:
    assert (made["bomFormat"], made["metadata"]["component"]["name"]) == ("CycloneDX", "abdm-kiosk")
    parts = {normal(part["name"]): part for part in made["components"]}
    assert set(parts) == {*shipped(), "valkey-server", "chart-js", "qr"}
    for name, pin in shipped().items():
        assert parts[name]["version"] == pin.version
        assert tuple(entry["value"] for entry in parts[name]["properties"]) == pin.hashes
    assert [name for name, part in parts.items() if not bill.licence_of(part)] == []
    references = {part["bom-ref"] for part in made["components"]} | {"root-component"}
    assert {ref for node in made["dependencies"] for ref in (node["ref"], *node["dependsOn"])} <= references


@pytest.mark.proof
def test_the_bill_names_the_store_server_with_its_hash(made: dict[str, Any]) -> None:
    server = next(part for part in made["components"] if part["name"] == "valkey-server")
    assert server["version"].startswith("9.")
    assert len(server["hashes"][0]["content"]) == 64


@pytest.mark.proof
def test_the_bill_names_the_library_of_plots_with_its_hash_and_the_licence_beside_it(made: dict[str, Any]) -> None:
    library = next(part for part in made["components"] if part["name"] == "chart.js")
    assert library["version"].startswith("4.")
    assert len(library["hashes"][0]["content"]) == 64
    text = bill.CHART_SCRIPT.with_name("chart-LICENSE.txt").read_text("utf-8")
    assert (bill.licence_of(library), text.count("The MIT License (MIT)")) == ("MIT", 2), "Chart.js and @kurkle/color"


def test_a_licence_that_was_read_from_a_file_is_the_one_of_that_file() -> None:
    for package, licence in bill.READ_FROM_ITS_FILE.items():
        text = next(path for path in metadata.files(package) or () if "licenses" in path.parts).read_text("utf-8")
        assert (licence, text.split(None, 4)[:4]) == ("Apache-2.0", ["Apache", "License", "Version", "2.0,"])


@pytest.mark.proof
def test_no_licence_of_the_shipped_packages_binds_ours(made: dict[str, Any]) -> None:
    """Apache-2.0 goes with permissive licences; GPL and AGPL would not."""
    rows = bill.licence_list(made).splitlines()
    assert len(rows) == len(made["components"])
    assert [row for row in rows if "GPL" in row and "LGPL" not in row] == []


class Source:
    """A source of vulnerability data with one answer for the known bad release and one for the lock."""

    def __init__(self, known_bad: audit.Answer, lock: audit.Answer) -> None:
        self.known_bad, self.lock = known_bad, lock

    def __call__(self, source: str, requirements: Path) -> audit.Answer:
        return self.lock if requirements == RUN else self.known_bad


def answer_with(monkeypatch: pytest.MonkeyPatch, known_bad: audit.Answer, lock: audit.Answer) -> None:
    monkeypatch.setattr(audit, "ask", Source(known_bad, lock))


def test_an_audit_with_data_passes_clean_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer_with(monkeypatch, audit.Answer(BAD), audit.Answer(CLEAN))
    code, sentence = audit.audit(tmp_path / "audit.json")
    assert (code, sentence[:35]) == (0, "ok: 1 packages, no known vulnerabil")


def test_an_audit_names_the_vulnerability_and_the_release_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer_with(monkeypatch, audit.Answer(BAD), audit.Answer(BAD))
    code, sentence = audit.audit(tmp_path / "audit.json")
    assert code == 1
    assert "jinja2 2.10: PYSEC-2019-217, mended in 2.10.1" in sentence


def test_a_package_that_the_source_does_not_know_fails_the_audit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer_with(monkeypatch, audit.Answer(BAD), audit.Answer(UNKNOWN))
    assert audit.audit(tmp_path / "audit.json")[0] == 1


@pytest.mark.parametrize(
    ("known_bad", "reason"),
    [(audit.Answer(UNKNOWN), "it has no data"), (audit.Answer([], "no route to host"), "no route to host")],
)
def test_a_source_without_data_never_passes_silently(
    known_bad: audit.Answer, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mirror of the index answers for each package that it does not know it, and pip-audit calls that a success."""
    answer_with(monkeypatch, known_bad, audit.Answer(CLEAN))
    code, sentence = audit.audit(tmp_path / "audit.json")
    assert code == 1
    assert reason in sentence
    assert "FAILED: no vulnerability data was reached, and no earlier audit stands" in sentence


@pytest.mark.parametrize(("days", "code", "sentence"), [(2, 0, "WARNING"), (8, 1, "too old")])
def test_without_data_the_age_of_the_last_audit_decides(days: int, code: int, sentence: str, tmp_path: Path) -> None:
    report = tmp_path / "audit.json"
    assert audit.with_data("osv", CLEAN, report, NOW)[0] == 0
    result = audit.without_data(report, NOW + timedelta(days=days))
    assert result[0] == code
    assert sentence in result[1]
    assert f"of 2026-01-15 09:00 UTC, {days} days old" in result[1]


def test_without_data_an_audit_of_other_packages_counts_for_nothing(tmp_path: Path) -> None:
    report = tmp_path / "audit.json"
    audit.with_data("osv", CLEAN, report, NOW)
    record = json.loads(report.read_text("utf-8"))
    report.write_text(json.dumps({**record, "lock": "another"}), "utf-8")
    code, sentence = audit.without_data(report, NOW)
    assert code == 1
    assert "the packages have changed since then" in sentence


def test_without_data_earlier_findings_still_fail(tmp_path: Path) -> None:
    report = tmp_path / "audit.json"
    audit.with_data("osv", BAD, report, NOW)
    code, sentence = audit.without_data(report, NOW)
    assert code == 1
    assert "PYSEC-2019-217" in sentence
