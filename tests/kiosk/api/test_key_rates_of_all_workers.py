"""A key has its rate once, however many workers answer it."""

import asyncio
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kiosk.api.key_rates import PER_FACILITY_KEY, WINDOW_S
from tests.kiosk.hospital import HIP
from tests.kiosk.process_tree import below, kiosk, serving, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
CONNECTIONS = 16
"""The kernel gives each to one of the two workers: that one of them gets less than a tenth is not to be expected."""
EACH = (PER_FACILITY_KEY + 800) // CONNECTIONS
STRANDED_PART = 0.05
"""A worker holds up to a fiftieth of the rate that another one might still use."""


async def test_two_workers_admit_no_more_requests_of_a_key_than_one(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert kiosk(data_dir, "facility", "add", HIP, "--name", "District Hospital").returncode == 0
    key = kiosk(data_dir, "apikey", "add", "HIS", "--facility", HIP, "--scope", "tickets:read").stdout
    text = next(word for word in key.split() if word.startswith("kiosk_"))
    with serving(data_dir, KIOSK_WORKERS="2") as tree:
        url = tree.ready()
        until(lambda: len(below(tree.pid_of("web"))) == 2)
        async with asyncio.timeout(WINDOW_S):  # the rate of the next window would be added
            counts = await asyncio.gather(*(statuses(url, text) for _ in range(CONNECTIONS)))
        assert tree.stop() == 0
    found: Counter[int] = sum(counts, Counter())
    assert found.total() == EACH * CONNECTIONS
    assert set(found) == {403, 429}, found
    assert PER_FACILITY_KEY * (1 - STRANDED_PART) <= found[403] <= PER_FACILITY_KEY, found


async def statuses(url: str, key: str) -> Counter[int]:
    """Of the same request again and again over one connection. It is counted, and refused for its facility."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0
    reader, writer = await asyncio.open_connection(host, port)
    request = (
        f"GET /api/v1/facilities/NOWHERE/queues HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n\r\n"
    )
    found: Counter[int] = Counter()
    try:
        for _ in range(EACH):
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
            await reader.readexactly(int(length.partition(":")[2]))
            found[int(head.split()[1])] += 1
    finally:
        writer.close()
    return found
