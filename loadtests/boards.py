"""Boards and ticket pages for Locust: each keeps one stream of a facility open and reads every snapshot.

Two figures are measured: the time to the first snapshot, and the age of a snapshot when it arrives.
"""

import time
from http.client import HTTPException
from itertools import count
from typing import Final

import gevent
from geventhttpclient import HTTPClient
from locust import User, task
from locust.env import Environment
from msgspec import Struct, json

from loadtests import run_settings
from loadtests.patients import APP, processes_of, worker_of

JOIN_AGAIN_S: Final = 2.0
SILENT_S: Final = 45.0
"""A screen closes its stream when nothing came for this long, not even a heartbeat. Heartbeats come every 15 s."""
_turn = count()


class _Picture(Struct):
    at_ms: int


_PICTURE = json.Decoder(_Picture)


class Board(User):
    """One screen."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        run: run_settings.RunSettings = APP[0].run
        self.hip = run.hips[(next(_turn) * processes_of(environment) + worker_of(environment)) % len(run.hips)]
        self.url = run.kiosk_url

    @task
    def watch(self) -> None:
        """Read one stream to its end. Locust then calls this again, as a page subscribes again."""
        began, first = time.perf_counter(), True
        client = HTTPClient.from_url(self.url, network_timeout=SILENT_S)
        try:
            answer = client.get(f"/live/{self.hip}", headers={"Accept": "text/event-stream"})
            while line := answer.readline(b"\n"):
                if line.startswith(b'data: {"facility"'):
                    if first:
                        self._tell("stream opens", (time.perf_counter() - began) * 1000)
                        first = False
                    else:
                        # Snapshots carry the store's time. In a local run that is the clock of this machine.
                        self._tell("picture arrives", max(0.0, time.time() * 1000 - _PICTURE.decode(line[6:]).at_ms))
        except (OSError, HTTPException) as lost:
            self._tell("stream lost", (time.perf_counter() - began) * 1000, lost)
        finally:
            client.close()
        gevent.sleep(JOIN_AGAIN_S)

    def _tell(self, name: str, took_ms: float, trouble: Exception | None = None) -> None:
        self.environment.events.request.fire(
            request_type="STREAM", name=name, response_time=took_ms, response_length=0, exception=trouble, context={}
        )
