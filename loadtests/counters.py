"""Clerks for Locust: each signs in at a console once and then calls one patient after the other."""

import re
import secrets
from itertools import count
from typing import Final

from locust import FastHttpUser, constant_pacing, task
from locust.env import Environment
from locust.exception import StopUser

from loadtests import run_settings
from loadtests.patients import APP, processes_of, worker_of

MINUTES_A_PATIENT: Final = 2.0
"""Seconds for one patient at a counter in real time (SMHS Srinagar: 5 patients in ten minutes)."""
SHORTEST_PACE_S: Final = 0.25
_CSRF = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_CHANGE_IT = 'action="/console/password"'
_turn = count()


class Clerk(FastHttpUser):
    """One counter."""

    host = ""

    def __init__(self, environment: Environment) -> None:
        run: run_settings.RunSettings = APP[0].run
        self.host = run.kiosk_url
        super().__init__(environment)
        place = next(_turn) * processes_of(environment) + worker_of(environment)
        if place >= len(run.seats):
            raise StopUser
        _, self.seat = run.seats[place]
        self._pace = constant_pacing(max(SHORTEST_PACE_S, MINUTES_A_PATIENT * 60 / run.speed))
        self._headers = {"Origin": run.kiosk_url, "Sec-Fetch-Site": "same-origin"}
        self._csrf = ""

    def wait_time(self) -> float:
        """Seconds from one call to the next."""
        return float(self._pace(self))

    def on_start(self) -> None:
        """Sign in. The first password is changed at once, because the console requires it."""
        page = self._form("/console/login", {"login": self.seat["login"], "password": self.seat["password"]})
        if _CHANGE_IT in page:
            new = f"{secrets.token_urlsafe(18)} desk"
            form = {"_csrf": self._read(page), "old": self.seat["password"], "new": new, "again": new}
            page = self._form("/console/password", form)
        self._csrf = self._read(page)

    def _form(self, path: str, fields: dict[str, str]) -> str:
        headers = self._headers | {"Accept": "text/html"}
        answer = self.client.post(path, data=fields, headers=headers, name=f"console: {path.rpartition('/')[2]}")
        return str(answer.text or "")

    @staticmethod
    def _read(page: str) -> str:
        found = _CSRF.search(page)
        if not found:
            raise StopUser
        return found.group(1)

    @task
    def next(self) -> None:
        """Press *next* once: the visit at the counter ends and the next patient is called."""
        headers = self._headers | {"X-CSRF-Token": self._csrf}
        body = {"counter": self.seat["counter"], "ticket": ""}
        self.client.post("/console/desk/next", json=body, headers=headers, name="clerk: next")
