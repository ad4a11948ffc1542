"""Input from an OpenAPI description: schemathesis sends what it allows and what it does not, and compares the answers.

``endpoints.yaml`` describes what needs no API key: the messages of the gateway and the form without an app. The API
has a description of its own.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from loadtests.fuzz.targets import BenchSetup
from loadtests.simulator.gateway.launch import ROOT

ENDPOINTS: Final = Path(__file__).with_name("endpoints.yaml")
CHECKS: Final = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "ignored_auth",
)  # fmt: skip
"""That wrong input is refused is not among them: a wrong share is taken, and the phone shows the refusal."""
STATUSES_FILE: Final = "statuses.json"
"""``hooks.py`` writes it. It cannot be imported here: it registers its hooks."""
FUZZING: Final = ("fuzzing",)
EVERY_PHASE: Final = ("examples", "coverage", *FUZZING)
"""Coverage tries each limit of each member by itself: some hundred requests for each address."""
REQUEST_TIMEOUT_S: Final = 40
OFTEN: Final = 0.8
_SHOWN_MAX: Final = 8_000
"""Characters of the output that are shown."""
_GENERATED: Final = re.compile(r"(\d[\d,]*) generated")


class Compared(Struct, frozen=True, kw_only=True):
    """What came of one run."""

    sent: int
    good: bool
    """Whether no answer was a failure or contradicted the description."""
    statuses: dict[str, dict[int, int]]
    """Method and path → status → answers."""
    output: str
    """The end of what schemathesis wrote."""

    @property
    def untried(self) -> list[str]:
        """Methods and paths that the description has and that never answered with 2xx or 3xx: what stands behind
        them was not tried.
        """
        return [endpoint for endpoint, counts in self.statuses.items() if min(counts) >= 400 and counts.keys() != {405}]

    def report(self) -> dict[str, Any]:
        """For people; with the output when there is something to read in it."""
        statuses = {endpoint: counts for endpoint, counts in self.statuses.items() if counts.keys() != {405}}
        found = {"sent": self.sent, "good": self.good, "untried": self.untried, "statuses": statuses}
        return found if self.good else found | {"output": self.output.splitlines()}


async def compare_endpoints(
    setup: BenchSetup, *, examples: int, seed: int, phases: Sequence[str] = EVERY_PHASE
) -> Compared:
    """Send requests to the gateway's endpoints and the form, at most ``examples`` of each kind in the last phase."""
    description = ENDPOINTS.read_text("utf-8").replace("$HIPS", ", ".join(setup.hips)).encode()
    values = {"path.link": [setup.form_path.removeprefix("/go/"), "none"], "header.X-HIP-ID": setup.hips}
    settings = {"headers": {"Authorization": f"Bearer {setup.token}"}} | real_values(values)
    url = f"http://{setup.authority}"
    return await compare(description, settings, url, examples=examples, checks=CHECKS, phases=phases, seed=seed)


def real_values(values: Mapping[str, Sequence[object]]) -> dict[str, Any]:
    """Settings by which parameters such as ``path.ticket`` have these values, and members such as ``body.queue`` mostly
    have them: with others, little but the answer 404 would be tried.

    A parameter whose setting is a list would be that list, written as text.
    """
    return {
        "dictionaries": {f"values{at}": {"values": list(known)} for at, known in enumerate(values.values())},
        "parameters": {
            name: {"dictionary": f"values{at}", "probability": 1.0 if name.startswith("path.") else OFTEN}
            for at, name in enumerate(values)
        },
    }


async def compare(
    description: bytes,
    settings: dict[str, Any],
    url: str,
    *,
    examples: int,
    checks: Sequence[str],
    phases: Sequence[str] = EVERY_PHASE,
    seed: int | None = None,
) -> Compared:
    """Send requests to the service at ``url``. ``description``: OpenAPI in YAML, of which JSON is a part;
    ``settings``: those of schemathesis.
    """
    with tempfile.TemporaryDirectory(prefix="kiosk-described-") as name:
        folder = Path(name)
        (folder / "openapi.yaml").write_bytes(description)
        (folder / "schemathesis.toml").write_bytes(
            msgspec.toml.encode({"request-timeout": REQUEST_TIMEOUT_S} | settings)
        )
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
            "--config-file", "schemathesis.toml", "run", "openapi.yaml", "--url", url, "--no-color",
            "--phases", ",".join(phases), "--max-examples", str(examples), "--checks", ",".join(checks),
            "--continue-on-failure", "--no-shrink", "--generation-database", "none", "--output-sanitize", "true",
            *(() if seed is None else ("--seed", str(seed))),
            cwd=folder, env=os.environ | {"SCHEMATHESIS_HOOKS": "loadtests.fuzz.hooks", "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output = (await run.communicate())[0].decode("utf-8", "replace")
        statuses = folder / STATUSES_FILE
        counted = (
            msgspec.json.decode(statuses.read_bytes(), type=dict[str, dict[int, int]]) if statuses.exists() else {}
        )
    sent = _GENERATED.search(output)
    return Compared(
        sent=int(sent[1].replace(",", "")) if sent else 0,
        good=run.returncode == 0,
        statuses={endpoint: dict(sorted(counts.items())) for endpoint, counts in sorted(counted.items())},
        output=output[-_SHOWN_MAX:],
    )
