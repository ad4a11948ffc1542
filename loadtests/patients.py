"""Patients for Locust: each scans the QR code of a counter once, shares through the gateway, and waits for the number.

Only the day's shape decides when patients come: people also come to a slow hospital. So a Locust user of this class is
a gate of the yard and not a person. It lets each patient in at the planned time, without waiting for earlier ones.
"""

import os
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import gevent
from gevent.event import AsyncResult
from geventhttpclient import HTTPClient
from locust import FastHttpUser, task
from locust.env import Environment
from msgspec import json

from loadtests import run_settings
from loadtests.shapes import Chooser
from loadtests.simulator.gateway import schemas
from loadtests.simulator.people.invented import Patient, invent

GATES: Final = 8
"""Gates for each process of Locust, so that every process gets at least one."""
CONNECTIONS: Final = 500
"""Patients of one gate at the same time: all who scan in the second in which the gate opens."""
SCREEN_S: Final = 30.0
"""How long a phone waits (protocol B4)."""
POLL_S: Final = 10
PHONE_SHARE: Final = "/api/hiecm/patient-share/v3/share"
SESSIONS: Final = "/api/hiecm/gateway/v3/sessions"
NEVER_S: Final = 3_600.0


def moment() -> str:
    """The present time as an app writes TIMESTAMP."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class App:
    """The PHR app of this process: its access token, and the patients that wait for an answer, by request id."""

    def __init__(self, run: run_settings.RunSettings, process: int, processes: int) -> None:
        self.run = run
        self.began = time.monotonic()
        self.name = f"{run.gateway.app_id}-{run.run}-{os.getpid()}"
        self.coming = iter(run.arrival_times()[process::processes])
        self.chooser = Chooser(len(run.hips), run.seed + process)
        self.token = ""
        self._waiting: dict[str, AsyncResult] = {}

    def start(self) -> None:
        """Sign in and listen for answers, until the process ends."""
        self.token = self._signed_in()
        gevent.spawn(self._listen)

    def _client(self) -> HTTPClient:
        return HTTPClient.from_url(self.run.gateway.url, concurrency=2, network_timeout=POLL_S + 20)

    def _signed_in(self) -> str:
        body = {
            "clientId": self.run.gateway.app_id,
            "clientSecret": self.run.gateway.app_secret,
            "grantType": "client_credentials",
        }
        headers = {"REQUEST-ID": str(uuid.uuid4()), "TIMESTAMP": moment(), "X-CM-ID": self.run.gateway.cm_id,
                   "Content-Type": "application/json"}  # fmt: skip
        answer = self._client().post(SESSIONS, body=json.encode(body), headers=headers)
        return str(json.decode(bytes(answer.read()))["accessToken"])

    def _listen(self) -> None:
        client = self._client()
        while True:
            answer = client.get(f"/_sim/inbox?app={self.name}&wait_s={POLL_S}&limit=5000")
            for callback in json.decode(bytes(answer.read())):
                body = callback["body"]
                waiting = self._waiting.pop(str(body.get("response", {}).get("requestId")), None)
                if waiting is not None and callback["path"] == schemas.APP_ON_SHARE:
                    waiting.set(body)

    def expect(self, request_id: str) -> AsyncResult:
        """A result that is set when the answer to this share comes."""
        waiting = self._waiting[request_id] = AsyncResult()
        return waiting

    def headers(self, request_id: str, patient: Patient) -> dict[str, str]:
        """The headers of a share."""
        return {
            "Authorization": f"Bearer {self.token}", "REQUEST-ID": request_id, "TIMESTAMP": moment(),
            "X-CM-ID": self.run.gateway.cm_id, "X-HIU-ID": self.name, "X-AUTH-TOKEN": f"session-of-{patient.index}",
            "Content-Type": "application/json",
        }  # fmt: skip


APP: list[App] = []
"""The only app of this process, created before its users start."""


def prepare(environment: Environment, run: run_settings.RunSettings) -> None:
    """Called once in each process, before its first patient."""
    if not APP:
        APP.append(App(run, worker_of(environment), processes_of(environment)))
        APP[0].start()


def worker_of(environment: Environment) -> int:
    """The number of this process in the run, from 0."""
    return max(0, int(getattr(environment.runner, "worker_index", 0) or 0))


def processes_of(environment: Environment) -> int:
    """How many processes the run has."""
    return max(1, int(getattr(environment.parsed_options, "processes", 1) or 1))


class Gate(FastHttpUser):
    """Lets patients into the yard."""

    host = ""
    concurrency = CONNECTIONS

    def __init__(self, environment: Environment) -> None:
        self.host = APP[0].run.gateway.url
        super().__init__(environment)

    @task
    def open(self) -> None:
        """Wait until the next patient is due and let the patient in."""
        moment, index = next(APP[0].coming, (NEVER_S, -1))
        gevent.sleep(max(0.0, APP[0].began + moment - time.monotonic()))
        if index >= 0:
            gevent.spawn(self._scan, index)

    def _scan(self, index: int) -> None:
        app = APP[0]
        patient = invent(app.run.seed, index)
        hip = app.run.hips[app.chooser.facility()]
        request_id = str(uuid.uuid4())
        waiting = app.expect(request_id)
        began = time.perf_counter()
        body = json.encode(patient.share(hip, app.run.text, at=(34.0801, 74.7902))).decode()
        self.client.post(PHONE_SHARE, data=body, headers=app.headers(request_id, patient), name="phone: share")
        self._wait(waiting, began)

    def _wait(self, waiting: AsyncResult, began: float) -> None:
        trouble: Exception | None = None
        try:
            reply: dict[str, Any] = waiting.get(timeout=SCREEN_S)
            if "acknowledgement" not in reply:
                trouble = Refused(str(reply.get("error")))
        except gevent.Timeout:
            trouble = NoNumber("no number within 30 s")
        self.environment.events.request.fire(
            request_type="SCAN", name="scan to number", response_time=(time.perf_counter() - began) * 1000,
            response_length=0, exception=trouble, context={},
        )  # fmt: skip


class NoNumber(Exception):
    """The phone gave up."""


class Refused(Exception):
    """The phone shows a refusal instead of a number."""
