"""``make audit``: known vulnerabilities of what production installs, and how old the data about them is.

pip-audit calls a package that its source does not know "skipped" and ends well. So each run also asks for an old
release that is known to be vulnerable: a source that does not know that one has no data, and the run does not pass.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.supply_chain.locked import ROOT, RUN

REPORT: Final = ROOT / "reports" / "audit.json"
KNOWN_BAD: Final = "jinja2==2.10"
"""CVE-2019-10906, told by every source since 2019."""
OLD_AFTER: Final = timedelta(days=7)
"""A critical mistake is to be mended within seven days of its publication: older data may not know it."""
DEADLINE_S: Final = 300.0
"""Fifty packages over a slow line; a source that takes longer counts as not reachable."""
NO_DATA: Final = "FAILED: no vulnerability data was reached"
SOURCES: Final = ("pypi", "osv")


class Answer(NamedTuple):
    packages: list[dict[str, Any]]
    trouble: str = ""


def ask(source: str, requirements: Path) -> Answer:
    """What pip-audit finds for these pins at one source."""
    command = (
        "-m", "pip_audit", "--vulnerability-service", source, "--requirement", str(requirements), "--no-deps",
        "--disable-pip", "--format", "json", "--progress-spinner", "off",
    )  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        return Answer(json.loads(done.stdout)["dependencies"])
    except subprocess.TimeoutExpired:
        return Answer([], f"no answer within {DEADLINE_S:.0f} s")
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return Answer([], last[:200])


def has_data(source: str) -> str:
    """Nothing if this source knows the release that is known to be vulnerable; else what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        known_bad = Path(folder) / "known-bad.txt"
        known_bad.write_text(f"{KNOWN_BAD}\n", "utf-8")
        answer = ask(source, known_bad)
    if answer.trouble:
        return answer.trouble
    if any(package.get("vulns") for package in answer.packages):
        return ""
    return f"it knows no vulnerability of {KNOWN_BAD}: it has no data"


def findings(packages: list[dict[str, Any]]) -> list[str]:
    """One line for each vulnerability, and for each package that the source does not know."""
    lines = [
        f"{package['name']}: not audited: {package['skip_reason']}"
        for package in packages
        if package.get("skip_reason")
    ]
    for package in packages:
        for bad in package.get("vulns", ()):
            mended = ", ".join(bad.get("fix_versions", ())) or "no release yet"
            lines.append(f"{package['name']} {package['version']}: {bad['id']}, mended in {mended}")
    return lines


def lock_digest() -> str:
    return hashlib.sha256(RUN.read_bytes()).hexdigest()


def without_data(report: Path, now: datetime) -> tuple[int, str]:
    """Exit code and sentence for a run that reached no data: how old the last result is."""
    try:
        last = json.loads(report.read_text("utf-8"))
        made = datetime.fromisoformat(last["made"])
    except (OSError, ValueError, KeyError):
        return 1, f"{NO_DATA}, and no earlier audit stands in reports/audit.json: nothing is known."
    age = now - made
    when = f"The last audit with data is of {made:%Y-%m-%d %H:%M} UTC, {age.days} days old"
    if last.get("lock") != lock_digest():
        return 1, f"{NO_DATA}. {when}, and the packages have changed since then."
    if age > OLD_AFTER:
        return 1, f"{NO_DATA}. {when}: too old, seven days is the limit."
    if last["findings"]:
        return 1, f"{NO_DATA}. {when} and found: {'; '.join(last['findings'])}"
    return 0, f"WARNING: no vulnerability data was reached. {when}; it found nothing in these packages."


def with_data(source: str, packages: list[dict[str, Any]], report: Path, now: datetime) -> tuple[int, str]:
    """Exit code and sentence for a run with data, which is kept for runs without."""
    found = findings(packages)
    report.parent.mkdir(exist_ok=True)
    record = {"made": now.isoformat(), "source": source, "lock": lock_digest(), "findings": found}
    report.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    if found:
        return 1, "FAILED:\n" + "\n".join(f"  {line}" for line in found)
    return 0, f"ok: {len(packages)} packages, no known vulnerability; data of {source}, {now:%Y-%m-%d %H:%M} UTC"


def audit(report: Path = REPORT) -> tuple[int, str]:
    now = datetime.now(UTC)
    troubles = []
    for source in SOURCES:
        trouble = has_data(source)
        if not trouble:
            answer = ask(source, RUN)
            if not answer.trouble:
                return with_data(source, answer.packages, report, now)
            trouble = answer.trouble
        troubles.append(f"{source}: {trouble}")
    code, sentence = without_data(report, now)
    return code, "\n".join([*troubles, sentence])


def main() -> int:
    code, sentence = audit()
    print(sentence)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
