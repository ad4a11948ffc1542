"""``python -m loadtests.history.pages``: how long pages of figures take while a year stands in the archive.

Two people at a time open each page in turn, as superintendents do at ten o'clock. The standard input holds the password
and, in a second line, the secret of the authenticator app if the login has one: so neither stands in a list of
processes. A login made for the measurement needs its first password alone; another one and an app are set up on its
pages and are not shown.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from urllib.parse import quote

import httpx

AT_ONCE: Final = 2
"""The machine has two cores."""
LIMIT_MS: Final = 300
"""What a page may take at the 95th percentile."""
FILE_LIMIT_MS: Final = 1000
"""What a file with thousands of rows may take: every facility of the state, or every ticket of a hospital's month."""
_LONG_FILES: Final = re.compile(r"/console/review/(csv/facilities|lines)\?")
STEP_S: Final = 30
"""A code of an authenticator app is good for one step (RFC 6238)."""
_CSRF: Final = re.compile(r'name="(?:csrf-token" content|_csrf" value)="([^"]+)"')
_SECRET: Final = re.compile(r'class="token key">([A-Z2-7 ]+)<')
_SEALED: Final = re.compile(r'name="sealed" value="([^"]+)"')


def code_of(secret: str, now_s: float) -> str:
    """The six digits that an authenticator app shows (RFC 6238, SHA-1)."""
    text = secret.replace(" ", "")
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    digest = hmac.digest(key, (int(now_s) // STEP_S).to_bytes(8), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 1_000_000:06d}"


class SignIn:
    """Signs one login in, through the pages that a browser would show."""

    def __init__(self, client: httpx.AsyncClient, login: str) -> None:
        self._client = client
        self._login = login

    async def run(self, password: str, secret: str) -> None:
        """Ends the program when the login is refused."""
        answer = await self._client.post("/console/login", data={"login": self._login, "password": password})
        if _leads_to(answer, "/console/code"):
            if not secret:
                raise SystemExit(f"{self._login} has an authenticator app: its secret goes into the second line")
            answer = await self._send("/console/code", {"code": code_of(secret, time.time())})
        if answer.status_code != 303:
            raise SystemExit(f"sign-in of {self._login} was answered {answer.status_code}")
        if _leads_to(await self._client.get("/console"), "/console/password"):
            await self._change_password(password)
        if _leads_to(await self._client.get("/console"), "/console/account/phone"):
            await self._set_up_app()

    async def _change_password(self, password: str) -> None:
        new = secrets.token_urlsafe(24)
        answer = await self._send("/console/password", {"old": password, "new": new, "again": new})
        if answer.status_code != 303:
            raise SystemExit(f"the password of {self._login} could not be changed ({answer.status_code})")

    async def _set_up_app(self) -> None:
        page = (await self._client.get("/console/account/phone")).text
        secret, sealed = _found(_SECRET, page), _found(_SEALED, page)
        fields = {"sealed": sealed, "code": code_of(secret, time.time())}
        answer = await self._send("/console/account/phone", fields)
        if answer.status_code != 200:
            raise SystemExit(f"an app of {self._login} could not be set up ({answer.status_code})")

    async def _send(self, path: str, fields: dict[str, str]) -> httpx.Response:
        page = await self._client.get(path)
        return await self._client.post(path, data={"_csrf": csrf_of(page.text), **fields})


def csrf_of(page: str) -> str:
    """The token that a form of this page carries."""
    return _found(_CSRF, page)


def _leads_to(answer: httpx.Response, path: str) -> bool:
    return answer.status_code == 303 and answer.headers.get("location", "").partition("?")[0] == path


def _found(pattern: re.Pattern[str], page: str) -> str:
    if (found := pattern.search(page)) is None:
        raise SystemExit(f"a page has no {pattern.pattern}")
    return found[1]


def all_pages(hip: str, district: str, last: date) -> list[str]:
    """Every page and file of *today* and *review*, in the month and the year that end with this day."""
    month, year = f"{last:%Y-%m}", f"&from={last - timedelta(days=364)}&to={last}"
    today, review = f"/console/today?hip={quote(hip)}", f"/console/review?month={month}"
    place, files = f"district={quote(district)}", "/console/review/csv"
    return [
        today, f"{today}&from={last}&to={last}", f"{today}{year}",
        f"/console/today/csv/queues?hip={quote(hip)}{year}",
        review, f"{review}&page=100", f"{review}&{place}", f"{review}&hip={quote(hip)}",
        f"{files}/trend?month={month}", f"{files}/districts?month={month}", f"{files}/facilities?month={month}",
        f"{files}/facilities?month={month}&{place}", f"{files}/institutions?month={month}",
        f"/console/review/lines?month={month}&hip={quote(hip)}",
    ]  # fmt: skip


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


async def measure(url: str, login: str, password: str, paths: Sequence[str], times: int, *, secret: str = "") -> bool:
    """Print a line for each page. False when one is too slow."""
    slow = 0
    async with httpx.AsyncClient(base_url=url, headers={"origin": url, "accept": "text/html"}, timeout=30) as client:
        await SignIn(client, login).run(password, secret)
        for path in paths:
            took = await timed(client, path, times)
            p95 = statistics.quantiles(took, n=20)[-1]
            slow += p95 > (FILE_LIMIT_MS if _LONG_FILES.match(path) else LIMIT_MS)
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
    password, secret = sys.stdin.readline().strip(), sys.stdin.readline().strip()
    is_fast = asyncio.run(measure(args.url, args.login, password, args.paths, args.times, secret=secret))
    raise SystemExit(0 if is_fast else 1)


if __name__ == "__main__":
    main()
