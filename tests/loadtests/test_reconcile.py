"""The audit finds each kind of broken promise."""

from typing import Any

import pytest

from loadtests.reconcile import audit, holes
from loadtests.simulator.gateway.ledger import Ledger, Share

AT_MS = 1_790_000_000_000


def row(n: int, token: str, person: str = "", **changed: Any) -> dict[str, Any]:
    good = {"at_ms": AT_MS, "took_ms": 3, "status": 202}
    report = {
        "n": n, "request_id": f"r{n}", "hip_id": "HIP", "context": "M1", "abha_address": person or f"p{n}@sbx",
        "shared_ms": AT_MS, "settled_ms": AT_MS + 50, "token": token, "error": "", "clean": 1, "deliveries": [good],
    }  # fmt: skip
    return report | changed


def test_a_run_without_faults_has_no_findings() -> None:
    findings = audit([row(1, "M-001"), row(2, "M-002"), row(3, "M-001", "p1@sbx")])
    assert findings.good
    assert (findings.taken, findings.patients, findings.numbers) == (3, 2, 2)


@pytest.mark.parametrize(
    ("rows", "promise"),
    [
        ([row(1, "", settled_ms=0, clean=0)], "unanswered"),
        ([row(1, "M-001", clean=2)], "repeated"),
        ([row(1, "M-001"), row(2, "M-001")], "number_twice"),
        ([row(1, "M-001"), row(2, "M-002", "p1@sbx")], "person_twice"),
    ],
)
def test_each_broken_promise_is_found(rows: list[dict[str, Any]], promise: str) -> None:
    findings = audit(rows)
    assert not findings.good
    assert [name for name in ("unanswered", "repeated", "number_twice", "person_twice") if getattr(findings, name)] == [
        promise
    ]


def test_a_called_patient_may_get_a_second_number() -> None:
    rows = [row(1, "M-001"), row(2, "M-002", "p1@sbx")]
    assert audit(rows, called={("HIP", "M-001")}).good
    assert not audit(rows, called={("HIP", "M-002")}).good


def test_the_same_number_elsewhere_or_on_another_day_is_another_number() -> None:
    tomorrow = AT_MS + 86_400_000
    assert audit([row(1, "M-001"), row(2, "M-001", hip_id="OTHER"), row(3, "M-001", settled_ms=tomorrow)]).good


def test_a_refused_delivery_needs_no_reply() -> None:
    refused = [{"at_ms": AT_MS, "took_ms": 3, "status": 503}]
    findings = audit([row(1, "", settled_ms=0, clean=0, deliveries=refused)])
    assert findings.good
    assert findings.taken == 0


def test_missing_numbers_are_counted() -> None:
    found = holes([row(1, "M-001"), row(2, "M-004"), row(3, "R-002")])
    assert sorted(found.values()) == [1, 2]


def share(n: int, at_ms: int) -> Share:
    return Share(
        request_id=f"r{n}", hip_id="HIP", context="M1", abha_address=f"p{n}@sbx", app="a", session="s", shared_ms=at_ms
    )


def test_the_ledger_forgets_the_oldest_and_keeps_the_counts() -> None:
    ledger = Ledger(remember=10)
    for n in range(25):
        ledger.open(share(n, AT_MS))
    assert (ledger.summary()["shares"], ledger.summary()["forgotten"], len(ledger.shares)) == (25, 15, 10)
    assert [entry["n"] for entry in ledger.page(20, 3)] == [21, 22, 23]


def test_a_phone_stops_waiting_after_thirty_seconds_and_only_once() -> None:
    ledger = Ledger()
    for n in range(3):
        ledger.open(share(n, AT_MS + n * 1000))
    ledger.settle(ledger.shares["r1"], AT_MS, reply_body=b"x", token="M-001", error="", expiry=1800)
    assert ledger.overdue(AT_MS + 29_999) == []
    assert [one.request_id for one in ledger.overdue(AT_MS + 40_000)] == ["r0", "r2"]
    assert ledger.overdue(AT_MS + 90_000) == []
