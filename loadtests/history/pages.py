"""``python -m loadtests.history.pages``: how long pages of figures take while a year stands in the archive.

Two people at a time open each page in turn, as superintendents do at ten o'clock. The password is read from the
standard input, so that it stands in no list of processes.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Final

import httpx

AT_ONCE: Final = 2
"""The machine has two cores."""
LIMIT_MS: Final = 300
"""What a page may take at the 95th percentile."""


async def sign_in(client: httpx.AsyncClient, login: str, password: str) -> None:
    """An administrator of one facility: a state administrator's code of the day is not asked for here."""
    answer = await client.post("/console/login", data={"login": login, "password": password})
    if answer.status_code != 303:
        raise SystemExit(f"sign-in of {login} was answered {answer.status_code}")


async def timed(client: httpx.AsyncClient, path: str, times: int) -> list[float]:
    """Milliseconds of each opening."""
    took: list[float] = []

    async def one_person() -> None:
        for _ in range(times // AT_ONCE):
            began = time.perf_counter()
            answer = await client.get(path)
            took.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{path} was answered {answer.status_code}")

    await one_person()  # the first openings read the database from the disk
    took.clear()
    await asyncio.gather(*(one_person() for _ in range(AT_ONCE)))
    return took


async def measure(url: str, login: str, password: str, paths: Sequence[str], times: int) -> bool:
    """Print a line for each page. False when one is too slow."""
    slow = 0
    async with httpx.AsyncClient(base_url=url, headers={"origin": url, "accept": "text/html"}, timeout=30) as client:
        await sign_in(client, login, password)
        for path in paths:
            took = await timed(client, path, times)
            p95 = statistics.quantiles(took, n=20)[-1]
            slow += p95 > LIMIT_MS
            sys.stdout.write(f"{path}: median {statistics.median(took):.0f} ms, 95th percentile {p95:.0f} ms\n")
            sys.stdout.flush()
    return not slow


def main() -> None:
    """The command. It ends with 1 when a page took longer than allowed."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.history.pages", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("url", help="address of the service, such as http://127.0.0.1:8000")
    parser.add_argument("login")
    parser.add_argument("paths", nargs="+", help="pages, such as '/console/today?hip=IN0100000000'")
    parser.add_argument("--times", type=int, default=100, help="openings of each page")
    args = parser.parse_args()
    password = sys.stdin.readline().strip()
    raise SystemExit(0 if asyncio.run(measure(args.url, args.login, password, args.paths, args.times)) else 1)


if __name__ == "__main__":
    main()
