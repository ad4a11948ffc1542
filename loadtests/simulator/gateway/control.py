"""The simulator's own endpoints under ``/_sim/``: ledger, faults on demand, an app's inbox. A real gateway has none.

They need no login, because the simulator must listen on loopback only.
"""

import time
from typing import Any

from msgspec import Struct, json

from loadtests.simulator.gateway.core import Gateway, decoded
from loadtests.simulator.gateway.faults import Faults, Order
from loadtests.simulator.gateway.http1 import Answer, Reply, Request
from loadtests.simulator.gateway.ledger import Share
from loadtests.simulator.gateway.phones import Inbox

LONGEST_POLL_S = 60
MOST_ROWS = 10_000


class Bridge(Struct, frozen=True, forbid_unknown_fields=True):
    """The address for callbacks."""

    url: str


class Service(Struct, frozen=True, forbid_unknown_fields=True):
    """One linked HIP."""

    id: str
    name: str


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """A PHR app that gets callbacks by a call."""

    id: str
    url: str


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """A share that a load test sends to the bridge itself. It is registered here so that its answer can be checked."""

    request_id: str
    hip_id: str
    context: str
    abha_address: str


class Control:
    """The endpoints for the tests and tools that run the simulator."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        for method, path, endpoint in (
            ("GET", "/_sim/ledger", self.ledger),
            ("GET", "/_sim/faults", self.faults),
            ("POST", "/_sim/faults", self.set_faults),
            ("DELETE", "/_sim/faults", self.clear_faults),
            ("POST", "/_sim/bridge", self.bridge),
            ("POST", "/_sim/services", self.services),
            ("POST", "/_sim/apps", self.app),
            ("GET", "/_sim/inbox", self.inbox),
            ("POST", "/_sim/expect", self.expect),
            ("GET", "/_sim/callback-token", self.callback_token),
        ):
            gateway.add_endpoint(method, path, "control", endpoint)

    def ledger(self, request: Request) -> Answer:
        """The summary; with a limit, the shares with numbers above ``after``: ``?after=0&limit=1000``."""
        after, limit = request.ask("after", 0), min(request.ask("limit", 0), MOST_ROWS)
        return _json({"rows": self.gateway.ledger.page(after, limit)} if limit else self.gateway.ledger.summary())

    def faults(self, request: Request) -> Answer:
        """The faults made on purpose, their counts, and the protocol faults of callers."""
        done = {f"{endpoint} {act}": count for (endpoint, act), count in self.gateway.fault_plan.done.items()}
        book = self.gateway.ledger
        return _json(
            {
                "injected": self.gateway.fault_plan.faults,
                "done": done,
                "protocol_faults": book.faults,
                "protocol_faults_total": book.counts["protocol_faults"],
            }
        )

    def set_faults(self, request: Request) -> Answer:
        """Make exactly these faults from now on."""
        order = decoded(request.body, Order)
        self._wrong(
            Faults(
                endpoints=order.endpoints,
                deliveries=order.deliveries,
                clock_offset_s=order.clock_offset_s,
                token_s=order.token_s,
            )
        )
        if order.rotate_keys:
            self.gateway.realm.rotate(drop=order.rotate_keys == "drop")
        if order.refuse_s:
            self.gateway.server.keep(self.gateway.server.away(order.refuse_s))
        return _json({"injected": self.gateway.fault_plan.faults})

    def clear_faults(self, request: Request) -> Answer:
        """Make no faults any more."""
        self._wrong(Faults())
        return Reply(204)

    def _wrong(self, faults: Faults) -> None:
        self.gateway.fault_plan.set(faults)
        self.gateway.renew_callback_token()

    def bridge(self, request: Request) -> Answer:
        """Send callbacks to this address from now on."""
        self.gateway.bridge_url = decoded(request.body, Bridge).url.rstrip("/")
        return Reply(204)

    def services(self, request: Request) -> Answer:
        """Link these HIPs and no others."""
        self.gateway.services = {service.id: service.name for service in decoded(request.body, list[Service])}
        return Reply(204)

    def app(self, request: Request) -> Answer:
        """Send this app's callbacks to its address instead of its inbox."""
        app = decoded(request.body, App)
        self.gateway.apps[app.id] = app.url.rstrip("/")
        return Reply(204)

    async def inbox(self, request: Request) -> Answer:
        """Callbacks for ``?app=``, waiting up to ``wait_s`` for the first: ``[{path, body}]``."""
        app = request.query.get("app", [""])[0]
        inbox = self.gateway.inboxes.setdefault(app, Inbox())
        wait_s = min(request.ask("wait_s", 0), LONGEST_POLL_S)
        limit = min(request.ask("limit", 1000), MOST_ROWS)
        return _json(await inbox.take(wait_s=wait_s, limit=limit, gone=lambda: request.line.closed))

    def expect(self, request: Request) -> Answer:
        """Register shares that a load test sends to the bridge itself."""
        now_ms = int(time.time() * 1000)
        book = self.gateway.ledger
        for one in decoded(request.body, list[Expected]):
            if one.request_id not in book.shares:
                book.open(
                    Share(
                        request_id=one.request_id,
                        hip_id=one.hip_id,
                        context=one.context,
                        abha_address=one.abha_address,
                        app="",
                        session="",
                        shared_ms=now_ms,
                    )
                )
        return Reply(204)

    def callback_token(self, request: Request) -> Answer:
        """The present token of callbacks, for a load test that sends shares to the bridge itself."""
        return _json({"token": self.gateway.callback_token(), "expires_in_s": self.gateway.settings.callback_token_s})


def _json(value: Any) -> Reply:
    return Reply(200, json.encode(value))
