"""The API against its own description: schemathesis sends what the description allows, and what it does not.

``make api-fuzz`` sends a hundred thousand requests.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from kiosk.api.description import document
from queueing.api_keys import EVERY_FACILITY, Scope
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.proof]
CALLS = 9
"""Of the description; each gets its share of the requests."""
REQUESTS = int(os.environ.get("API_REQUESTS", "2000"))
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method",
    "ignored_auth",
)  # fmt: skip
SETTINGS = """
headers = {{ Authorization = "Bearer {key}" }}
request-timeout = 40
[parameters]
"path.hip_id" = "{hip}"
"path.ticket" = [{tickets}]
"path.counter" = ["M1", "M2", "X9"]
"query.wait" = 0
"""
"""Things that exist, so that more than the answer 404 is tried; a wait would only take time."""


async def test_no_answer_contradicts_the_description_and_none_is_a_failure(served: Hospital, tmp_path: Path) -> None:
    await served.services.archive.prepare_in_thread()
    places = await served.arrive(patients=30)
    await served.call("M1")
    _, key = await served.services.api.keys.add("HIS", EVERY_FACILITY, tuple(Scope), by="asha")
    tickets = ", ".join(f'"{ticket}"' for ticket in (*(place.ticket for place in places[:4]), "1-1", "no"))
    (tmp_path / "schemathesis.toml").write_text(SETTINGS.format(key=key, hip=HIP, tickets=tickets))
    (tmp_path / "openapi.json").write_bytes(document(served.app, served.url))
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", served.url, "--no-color",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(REQUESTS // CALLS), "--checks", ",".join(CHECKS),
        "--continue-on-failure", "--no-shrink", "--generation-database", "none", "--output-sanitize", "true",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await run.communicate())[0].decode("utf-8", "replace")
    assert run.returncode == 0, output[-8000:]
    sent = re.search(r"(\d[\d,]*) generated", output)
    assert sent, output[-2000:]
    assert int(sent[1].replace(",", "")) >= REQUESTS // 2, output[-2000:]
