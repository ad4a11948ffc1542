"""A fake hospital service: it accepts the gateway's messages, and answers as a test decides."""

import asyncio
import uuid
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import json
from pyreqwest.client import Client, ClientBuilder

from loadtests.simulator.gateway.http1 import Answer, Reply, Request, Server
from loadtests.simulator.gateway.launch import Announced

HIP = "IN0110000123"


def moment(off_s: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=off_s)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class FakeHospitalService:
    """A small HIP. It answers each share with the next number, unless a test answers it."""

    def __init__(self) -> None:
        self.server = Server(self.take)
        self.statuses: list[int] = []
        """Statuses for the next deliveries; then 202."""
        self.answering = True
        self.taken: list[Request] = []
        self.came = asyncio.Event()
        self.deliveries: Counter[str] = Counter()
        self.bodies: defaultdict[str, set[bytes]] = defaultdict(set)
        self.answered: set[str] = set()
        self.numbers = 0
        self.gateway = ""
        self.announced: Announced | None = None
        self.client: Client = ClientBuilder().no_proxy().follow_redirects(False).build()
        self.token = ""

    @property
    def url(self) -> str:
        return f"http://{self.server.address[0]}:{self.server.address[1]}"

    def take(self, request: Request) -> Answer:
        status = self.statuses.pop(0) if self.statuses else 202
        self.taken.append(request)
        self.came.set()
        request_id = request.headers.get("request-id", "")
        self.deliveries[request_id] += 1
        self.bodies[request_id].add(request.body)
        share = request.path == "/api/v3/hip/patient/share"
        if share and status == 202 and self.answering and request_id not in self.answered:
            self.answered.add(request_id)
            self.numbers += 1
            self.server.keep(self._answer(request_id, json.decode(request.body), f"M-{self.numbers:03d}"))
        return Reply(status, b"{}")

    async def _answer(self, request_id: str, body: dict[str, Any], token: str) -> None:
        await self.send(good(request_id, body, token))

    async def open_session(self) -> None:
        assert self.announced is not None
        request_headers = {
            "clientId": self.announced.client_id,
            "clientSecret": self.announced.client_secret,
            "grantType": "client_credentials",
        }
        status, reply = await self.post("/api/hiecm/gateway/v3/sessions", request_headers, headers(""))
        assert status == 202, reply
        self.token = json.decode(reply)["accessToken"]

    async def send(self, body: Any, **changed: str) -> tuple[int, bytes]:
        """Send an on-share that is correct except for what a test changes. An empty header is left out."""
        request_headers = headers(self.token) | {name.replace("_", "-"): text for name, text in changed.items()}
        return await self.post("/api/hiecm/patient-share/v3/on-share", body, request_headers)

    async def post(self, path: str, body: Any, request_headers: dict[str, str]) -> tuple[int, bytes]:
        sent = body if isinstance(body, bytes) else json.encode(body)
        present = {name: text for name, text in request_headers.items() if text}
        response = await self.client.post(self.gateway + path).headers(present).body_bytes(sent).build().send()
        return response.status, (await response.bytes()).to_bytes()

    async def get(self, path: str, request_headers: dict[str, str]) -> tuple[int, bytes]:
        sent = {name: text for name, text in request_headers.items() if text}
        response = await self.client.get(self.gateway + path).headers(sent).build().send()
        return response.status, (await response.bytes()).to_bytes()

    async def next_delivery(self) -> Request:
        """The first delivery that the test has not read yet."""
        async with asyncio.timeout(10):
            while not self.taken:
                self.came.clear()
                await self.came.wait()
        return self.taken.pop(0)


def headers(token: str) -> dict[str, str]:
    return {
        "authorization": f"Bearer {token}" if token else "",
        "request-id": str(uuid.uuid4()),
        "timestamp": moment(),
        "x-cm-id": "sbx",
        "content-type": "application/json",
    }


def good(request_id: str, share: dict[str, Any], number: str = "M-001", expiry: str = "1800") -> dict[str, Any]:
    """The answer this share should get."""
    profile = {"context": share["metaData"]["context"], "tokenNumber": number, "expiry": expiry}
    address = share["profile"]["patient"]["abhaAddress"]
    return {
        "acknowledgement": {"status": "SUCCESS", "abhaAddress": address, "profile": profile},
        "response": {"requestId": request_id},
    }
