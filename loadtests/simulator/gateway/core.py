"""What all endpoints of the simulated gateway share.

Every endpoint does its work in this order: the caller's token, the three headers, the body, faults on purpose, the
request itself. A call that breaks the protocol is refused with the gateway's own codes and recorded in the ledger, also
when it gets a fault on purpose.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, json

from loadtests.simulator.gateway import schemas, strict
from loadtests.simulator.gateway.clients import Clients
from loadtests.simulator.gateway.deliver import Courier
from loadtests.simulator.gateway.faults import Act, FaultPlan, lot
from loadtests.simulator.gateway.http1 import CUT, SILENCE, Answer, Reply, Request, Server
from loadtests.simulator.gateway.journal import Journal
from loadtests.simulator.gateway.ledger import Ledger, Question, Share
from loadtests.simulator.gateway.phones import Inbox
from loadtests.simulator.gateway.signing_keys import Realm
from loadtests.simulator.gateway.strict import CallRefused

ACCEPTED = Reply(202)
SWEEP_S = 0.25
"""How often we look for phones that stopped waiting: short compared with their thirty seconds."""

_NO_ACKNOWLEDGEMENT = {
    Act.PAGE: Reply(
        200,
        b"<html><head><title>Request Rejected</title></head><body>This request was turned away.</body></html>",
        content_type="text/html",
    ),
    Act.ERROR: Reply(200, schemas.envelope("ABDM-1024", "Dependent service is down")),
    Act.REDIRECT: Reply(302, headers=(("location", "https://login.invalid/"),)),
}

Endpoint = Callable[[Request], Answer | Awaitable[Answer]]


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """The settings of this gateway."""

    seed: int
    issuer: str
    cm_id: str
    bridge_id: str
    secrets: dict[str, str]
    """The secret of each client id: the bridge and the PHR apps."""
    token_s: int = 1200
    callback_token_s: int = 600
    """How long one token is used for all callbacks. It is renewed 30 s before its end."""
    accept_unknown: bool = False
    """Accept answers to unknown shares without comparing them, because a load test sends the shares itself."""
    remember: int = 1_000_000
    journal: Path | None = None
    """The file to which every answer is also written."""


class Gateway:
    """The gateway's state and endpoints. All requests come through ``handle``."""

    def __init__(self, settings: GatewaySettings, *, bridge_url: str) -> None:
        self.settings = settings
        self.bridge_url = bridge_url.rstrip("/")
        self.realm = Realm(settings.seed, issuer=settings.issuer)
        self.clients = Clients(self.realm, settings.secrets, token_s=settings.token_s)
        self.fault_plan = FaultPlan(settings.seed)
        self.ledger = Ledger(
            remember=settings.remember, journal=Journal(settings.journal) if settings.journal else None
        )
        self.courier = Courier(self)
        self.server = Server(self.handle)
        self.services: dict[str, str] = {}
        """The names of linked HIP ids; empty: every HIP id is linked."""
        self.apps: dict[str, str] = {}
        """The addresses of apps that get callbacks by a call instead of fetching them, by app id."""
        self.inboxes: dict[str, Inbox] = {}
        self.histories: dict[str, list[Share]] = {}
        self._callback: tuple[str, float] = ("", 0.0)
        self._endpoints: dict[tuple[str, str], tuple[str, Endpoint]] = {}

    def add_endpoint(self, method: str, path: str, name: str, endpoint: Endpoint) -> None:
        """Add an endpoint. ``name`` is its name in the ledger and in the faults."""
        self._endpoints[method, path] = (name, endpoint)

    # Our clock and our token

    def clock_s(self) -> float:
        """The time by our simulated clock, which may be wrong on purpose."""
        return time.time() + self.fault_plan.faults.clock_offset_s

    def repeat_after_s(self) -> float:
        """How long after its TIMESTAMP a refused share is repeated once; 0: soon and often."""
        return self.fault_plan.faults.deliveries.repeat_after_s

    def callback_token(self) -> str:
        """The token of our callbacks. All callbacks during its life carry the same one, as with the real gateway."""
        token, ends_s = self._callback
        now_s = time.time()
        if not token or now_s > ends_s - min(30, self.settings.callback_token_s / 2):
            token = self.realm.token("gateway", int(self.clock_s()), self.settings.callback_token_s)
            self._callback = (token, now_s + self.settings.callback_token_s)
        return token

    def renew_callback_token(self) -> None:
        """Make a new token for the next callback, because the key or the clock has changed."""
        self._callback = ("", 0.0)

    async def watch(self) -> None:
        """Until cancelled: tell phones that no answer came in time."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for share in self.ledger.overdue(int(time.time() * 1000)):
                answered = any(200 <= delivery.status < 300 for delivery in share.deliveries)
                code, message = (
                    ("ABDM-1402", "Acknowledgement not received from HIP")
                    if answered
                    else ("ABDM-1028", "HIP unavailable")
                )
                self.refuse_phone(share, code, message)

    # Requests

    def handle(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer one call."""
        name, endpoint = self._endpoints.get((request.method, request.path), ("unknown", _nothing_here))
        wrong = self.fault_plan.at(name)
        if wrong is not None and wrong.slow_ms:
            return self._slowly(wrong.slow_ms / 1000, name, endpoint, request)
        try:
            answer = endpoint(request)
        except CallRefused as refusal:
            answer = self._refused(name, refusal, request)
        if isinstance(answer, Reply):
            self.ledger.calls[f"{name} {answer.status}"] += 1
        return answer

    async def _slowly(self, late_s: float, name: str, endpoint: Endpoint, request: Request) -> Answer:
        await asyncio.sleep(late_s)
        try:
            answer = endpoint(request)
        except CallRefused as refusal:
            answer = self._refused(name, refusal, request)
        settled = answer if isinstance(answer, Reply) or not isinstance(answer, Awaitable) else await answer
        if isinstance(settled, Reply):
            self.ledger.calls[f"{name} {settled.status}"] += 1
        return settled

    def _refused(self, name: str, refusal: CallRefused, request: Request) -> Reply:
        if refusal.fault:
            now_ms = int(time.time() * 1000)
            self.ledger.add_fault(now_ms, name, request.headers.get("request-id", ""), refusal.words)
        if refusal.code == "900901":
            return Reply(401, schemas.manager_error())
        return Reply(refusal.status, schemas.envelope(refusal.code, refusal.words) if refusal.code else b"")

    def caller(self, request: Request, name: str) -> str:
        """The client whose token this is. A token that we made void is refused, but not counted as a protocol fault."""
        authorization = request.headers.get("authorization", "")
        if self.fault_plan.void(name):
            self.clients.make_void(authorization)
        client, wrong = self.clients.whose(authorization, time.time())
        if not client:
            raise CallRefused(401, "900901", f"Authorization: {wrong}", fault=wrong != "void")
        return client

    def enter(self, request: Request, name: str) -> str:
        """Check token and headers in the order in which the real gateway does. Returns the client."""
        if "x-cm-id" not in request.headers:
            raise CallRefused(401, "", "X-CM-ID is missing")
        client = self.caller(request, name)
        strict.check_headers(request.headers, int(time.time() * 1000), self.settings.cm_id)
        return client

    def fault_of(self, name: str, key: str) -> tuple[Act, Answer | None]:
        """The fault that this call gets, and the answer if the fault comes before the request is handled."""
        act = self.fault_plan.act(name, key)
        if act in (Act.GOOD, Act.LOST, Act.GARBAGE):
            return act, None
        self.ledger.calls[f"{name} injected {act.value}"] += 1
        if act is Act.RESET:
            return act, CUT
        if act is Act.HANG:
            return act, SILENCE
        if act is Act.UNAUTHORISED:
            return act, Reply(401, schemas.manager_error())
        if act in _NO_ACKNOWLEDGEMENT:
            return act, _NO_ACKNOWLEDGEMENT[act]
        wrong = self.fault_plan.faults.endpoints[name]
        if act is Act.BUSY:
            return act, Reply(
                429,
                schemas.envelope("ABDM-1022", "Too many requests"),
                headers=(("retry-after", str(wrong.retry_after_s)),),
            )
        shapes = schemas.error_shapes("ABDM-1024", "Dependent service is down")
        status = (500, 502, 503, 504)[int(lot(self.settings.seed, "status", key) * 4)]
        return act, Reply(status, shapes[int(lot(self.settings.seed, "shape", key) * len(shapes))])

    def remember_for(self, share: Share) -> None:
        """Add this share to the history of its patient."""
        self.histories.setdefault(share.session, []).append(share)
        while len(self.histories) > self.settings.remember:
            del self.histories[next(iter(self.histories))]

    # Callbacks to phones

    def send_to_app(self, about: Share | Question, path: str, body: dict[str, Any]) -> None:
        """Send a callback to the app it belongs to."""
        if not about.app:
            return
        if about.app in self.apps:
            self.server.keep(self._push(self.apps[about.app] + path, about.app, body))
        else:
            self.inboxes.setdefault(about.app, Inbox()).put(path, body)

    async def _push(self, url: str, app: str, body: dict[str, Any]) -> None:
        headers = {
            "Authorization": f"Bearer {self.callback_token()}",
            "X-HIU-ID": app,
            "Content-Type": "application/json",
        }
        status = await self.courier.call(url, headers, json.encode(body))
        self.ledger.calls[f"pushed {status}"] += 1

    def refuse_phone(self, share: Share, code: str, message: str) -> None:
        """Tell the phone that it gets no number."""
        body = {"error": {"code": code, "message": message}, "response": {"requestId": share.request_id}}
        self.send_to_app(share, schemas.APP_ON_SHARE, body)


Body = TypeVar("Body")


def decoded(body: bytes, form: type[Body]) -> Body:
    """The parsed body. Raises the gateway's 400."""
    try:
        return json.decode(body, type=form)
    except ValueError as wrong:
        raise CallRefused(400, "ABDM-1006", f"Bad Request, invalid request Body: {wrong}") from None


def spoiled(act: Act, reply: Reply) -> Answer:
    """The reply with its fault: lost, or with garbage as its body."""
    if act is Act.LOST:
        return CUT
    if act is Act.GARBAGE:
        return Reply(reply.status, b"<html>\xff\xfe{{{ 503 upstream", content_type="text/html")
    return reply


def _nothing_here(request: Request) -> Answer:
    message = "No matching resource found for given API Request"
    return Reply(
        404, json.encode({"code": "404", "type": "Status report", "message": "Runtime Error", "description": message})
    )
