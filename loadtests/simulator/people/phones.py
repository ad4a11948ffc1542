"""A PHR app with many phones: each scans the QR code of a counter, shares, and waits for the number.

One connection fetches the app's callbacks and gives each to its phone. A phone waits thirty seconds, as the real apps
do, and then gives up.
"""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from random import Random
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from msgspec import Struct, json
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from loadtests.simulator.people.invented import Patient

SCREEN_S = 30.0
"""How long an app waits for the number (protocol B4)."""
ABDM_HOSTS = frozenset({"phrsbx.abdm.gov.in", "phr.abdm.gov.in"})
"""The hosts of valid QR codes. An app refuses all others (protocol A1)."""
RENEW_BEFORE_S = 30
POLL_S = 20
CLOSED_WITHIN_S = 3.0
BASE = "/api/hiecm/patient-share/v3"


class NotACounterQr(ValueError):
    """The scanned text is not a facility QR code of ABDM."""


class GatewayRefused(Exception):
    """The gateway did not accept what the app sent."""


class Received(Struct, frozen=True, kw_only=True):
    """What the phone shows in the end. Without token and error: no answer came in time."""

    request_id: str
    token: str = ""
    expires_s: int = 0
    error: str = ""
    words: str = ""
    took_s: float = 0.0


class Counter(Struct, frozen=True):
    """The contents of a counter's QR code."""

    hip_id: str
    text: str


def read_qr(text: str, *, hosts: frozenset[str] = ABDM_HOSTS) -> Counter:
    """Read a facility QR code as an app does: two parameters in any order. The counter may be missing, and other
    parameters are ignored.
    """
    url = urlsplit(text.strip())
    if url.scheme != "https" or url.hostname not in hosts or not url.path.endswith("/share-profile"):
        raise NotACounterQr(text[:80])
    reply = parse_qs(url.query)
    if not reply.get("hip-id"):
        raise NotACounterQr(text[:80])
    return Counter(reply["hip-id"][0], reply.get("counter-id", [""])[0])


def _moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Phones:
    """All phones of one PHR app. Use as a context."""

    def __init__(
        self, gateway_url: str, *, app_id: str, secret: str, cm_id: str = "sbx", run: str | None = None
    ) -> None:
        """``run`` names this run. The same name gives the same request ids, so the gateway's faults hit the same
        shares.
        """
        self.app_id = app_id
        self.cm_id = cm_id
        self.run = uuid.uuid4().hex if run is None else run
        self.hiu_id = f"{app_id}-{self.run[:12]}"
        """``X-HIU-ID``. Callbacks are fetched by it, so that two runs do not get each other's."""
        self._secret = secret
        self._ids = Random(f"request ids:{self.run}")
        self._client: Client = ClientBuilder().no_proxy().base_url(gateway_url).build()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._token: tuple[str, float] = ("", 0.0)
        self._renewing = asyncio.Lock()
        self._listener: asyncio.Task[None] | None = None
        self.strays = 0
        """Callbacks for which no phone waited: late ones and repetitions."""

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *gone: object) -> None:
        # The wait is bounded, because a call that is cancelled at the moment of its answer may never end.
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait({self._listener}, timeout=CLOSED_WITHIN_S)
        await asyncio.wait({asyncio.ensure_future(self._client.close())}, timeout=CLOSED_WITHIN_S)

    def new_request_id(self) -> str:
        """A UUID of this run."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    async def scan_qr(self, patient: Patient, text: str, *, at: tuple[float, float] | None = None) -> Received:
        """Scan the text of a QR, share, wait."""
        counter = read_qr(text)
        return await self.scan(patient, counter.hip_id, counter.text, at=at)

    async def scan(
        self, patient: Patient, hip_id: str, context: str, *, at: tuple[float, float] | None = None,
        request_id: str | None = None, wait_s: float = SCREEN_S,
    ) -> Received:  # fmt: skip
        """Share at this counter and wait for the number."""
        request_id = request_id or self.new_request_id()
        body = json.encode(patient.share(hip_id, context, at=at))
        reply, took_s = await self._ask(f"{BASE}/share", body, request_id, patient, wait_s)
        acknowledgement = reply.get("acknowledgement") or {}
        profile, error = acknowledgement.get("profile") or {}, reply.get("error") or {}
        return Received(
            request_id=request_id,
            token=str(profile.get("tokenNumber") or ""),
            expires_s=int(profile.get("expiry") or 0),
            error=str(error.get("code") or ""),
            words=str(error.get("message") or ""),
            took_s=took_s,
        )

    async def running(self, patient: Patient, hip_id: str, context: str, *, wait_s: float = SCREEN_S) -> dict[str, Any]:
        """Ask which token is being served. Returns the callback's body; empty when no answer came."""
        body = json.encode({"hipId": hip_id, "context": context})
        reply, _ = await self._ask(f"{BASE}/running-token/status", body, self.new_request_id(), patient, wait_s)
        return reply

    async def history(self, patient: Patient) -> list[dict[str, Any]]:
        """The patient's tokens, newest first, as the app lists them."""
        headers = await self._headers(self.new_request_id(), patient)
        response = await self._client.get(f"{BASE}/profile/getTokenDetails?limit=-1").headers(headers).build().send()
        reply: list[dict[str, Any]] = json.decode((await response.bytes()).to_bytes())
        return reply

    async def _ask(
        self, path: str, body: bytes, request_id: str, patient: Patient, wait_s: float
    ) -> tuple[dict[str, Any], float]:
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        began = time.perf_counter()
        try:
            headers = await self._headers(request_id, patient)
            response = await self._client.post(path).headers(headers).body_bytes(body).build().send()
            if response.status != 202:
                raise GatewayRefused(f"{path}: {response.status} {(await response.text())[:200]}")
            async with asyncio.timeout(wait_s):
                return await answer, time.perf_counter() - began
        except TimeoutError:
            return {}, time.perf_counter() - began
        finally:
            del self._waiting[request_id]

    async def _headers(self, request_id: str, patient: Patient) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {await self._access_token()}", "REQUEST-ID": request_id, "TIMESTAMP": _moment(),
            "X-CM-ID": self.cm_id, "X-HIU-ID": self.hiu_id,
            "X-AUTH-TOKEN": f"session-of-{patient.index}-{patient.abha_address}",
            "Content-Type": "application/json",
        }  # fmt: skip

    async def _access_token(self) -> str:
        async with self._renewing:
            token, ends = self._token
            if time.monotonic() < ends:
                return token
            headers = {"REQUEST-ID": str(uuid.uuid4()), "TIMESTAMP": _moment(), "X-CM-ID": self.cm_id}
            body = {"clientId": self.app_id, "clientSecret": self._secret, "grantType": "client_credentials"}
            path = "/api/hiecm/gateway/v3/sessions"
            response = await self._client.post(path).headers(headers).body_json(body).build().send()
            if not 200 <= response.status < 300:
                raise GatewayRefused(f"{path}: {response.status}")
            reply = json.decode((await response.bytes()).to_bytes())
            lives_s = reply["expiresIn"] - min(RENEW_BEFORE_S, reply["expiresIn"] / 2)
            self._token = (reply["accessToken"], time.monotonic() + lives_s)
            return str(reply["accessToken"])

    async def _listen(self) -> None:
        path = f"/_sim/inbox?app={quote(self.hiu_id)}&wait_s={POLL_S}"
        while True:
            try:
                response = await self._client.get(path).build().send()
                callbacks = json.decode((await response.bytes()).to_bytes())
            except (PyreqwestError, ValueError):
                await asyncio.sleep(0.2)
                continue
            for callback in callbacks:
                self._hand_over(callback["body"])

    def _hand_over(self, body: dict[str, Any]) -> None:
        answered = body.get("response") or body.get("resp") or {}
        answer = self._waiting.get(str(answered.get("requestId")))
        if answer is None or answer.done():
            self.strays += 1
        else:
            answer.set_result(body)
