"""``python -m loadtests.delivery.puller``: a vendor's program that asks for events (``GET …/events``) and waits.

Each event is one line of its journal. It begins after the last event that its journal has, so it may be killed at any
moment. The API key comes by the standard input. Ends with SIGTERM.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

import httpx
import uvloop
from msgspec import json

from loadtests.delivery.receiver import JournalFile

WAIT_S: Final = 20
TRY_AGAIN_S: Final = 0.5


def cursors_of(journal: Path, hips: list[str]) -> dict[str, str]:
    """The cursor of the last event of each facility; 0 for one without any."""
    cursors = dict.fromkeys(hips, "0")
    for line in journal.read_bytes().splitlines() if journal.exists() else ():
        event = json.decode(line)
        cursors[event["facility"]] = event["cursor"]
    return cursors


async def follow(client: httpx.AsyncClient, hip: str, after: str, journal: JournalFile) -> None:
    """Write down one facility's events, without end."""
    while True:
        try:
            answer = await client.get(f"/api/v1/facilities/{hip}/events", params={"after": after, "wait": WAIT_S})
        except httpx.TransportError:
            await asyncio.sleep(TRY_AGAIN_S)
            continue
        if answer.status_code in {429, 503}:
            await asyncio.sleep(TRY_AGAIN_S)
            continue
        if answer.status_code != 200:
            raise SystemExit(f"events were answered {answer.status_code}: {answer.text[:200]}")
        page = json.decode(answer.content)
        for event in page["items"]:
            journal.write(json.encode(event))
        after = page["next"] or after


async def run(url: str, hips: list[str], path: Path) -> None:
    key = sys.stdin.readline().strip()
    headers = {"authorization": f"Bearer {key}"}
    cursors, journal = cursors_of(path, hips), JournalFile(path)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=WAIT_S + 10) as client:
        await asyncio.gather(*(follow(client, hip, cursors[hip], journal) for hip in hips))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.delivery.puller")
    parser.add_argument("url")
    parser.add_argument("journal", type=Path)
    parser.add_argument("hips", nargs="+")
    args = parser.parse_args()
    uvloop.run(run(args.url, args.hips, args.journal))


if __name__ == "__main__":
    main()
