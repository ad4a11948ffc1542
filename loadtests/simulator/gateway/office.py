"""The gateway's endpoints for access tokens, the key set, and the address of a bridge (protocol D)."""

import time

from msgspec import json

from loadtests.simulator.gateway import schemas, strict
from loadtests.simulator.gateway.core import ACCEPTED, Gateway, decoded, spoiled
from loadtests.simulator.gateway.http1 import Answer, Reply, Request
from loadtests.simulator.gateway.strict import CallRefused


class Office:
    """The endpoints for every client id."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        base = "/api/hiecm/gateway/v3"
        gateway.add_endpoint("POST", f"{base}/sessions", "sessions", self.sessions)
        gateway.add_endpoint("GET", f"{base}/certs", "certs", self.certs)
        gateway.add_endpoint(
            "GET", "/auth/realms/central-registry/protocol/openid-connect/certs", "realm_certs", self.open_certs
        )
        gateway.add_endpoint("GET", "/gateway/v0.5/certs", "legacy_certs", self.open_certs)
        gateway.add_endpoint("GET", f"{base}/.well-known/openid-configuration", "discovery", self.discovery)
        gateway.add_endpoint("GET", "/.well-known/openid-configuration", "discovery", self.discovery)
        gateway.add_endpoint("PATCH", f"{base}/bridge/url", "bridge_url", self.move_bridge)
        gateway.add_endpoint("GET", f"{base}/bridge-services", "bridge_services", self.bridge_services)

    def sessions(self, request: Request) -> Answer:
        strict.check_json(request.headers)
        if any(name not in request.headers for name in ("request-id", "timestamp", "x-cm-id")):
            raise CallRefused(401, "", "sessions needs REQUEST-ID, TIMESTAMP and X-CM-ID")
        strict.check_headers(request.headers, int(time.time() * 1000), self.gateway.settings.cm_id)
        if "authorization" in request.headers:
            raise CallRefused(401, "900901", "sessions is asked without Authorization")
        session_request = decoded(request.body, schemas.SessionRequest)
        if not self.gateway.clients.admits(session_request):
            raise CallRefused(401, "900901", "wrong credentials", fault=False)
        act, instead = self.gateway.fault_of("sessions", session_request.client_id)
        if instead is not None:
            return instead
        body = self.gateway.clients.open_session(
            session_request.client_id,
            time.time(),
            clock_s=self.gateway.clock_s(),
            lives_s=self.gateway.fault_plan.faults.token_s,
        )
        return spoiled(act, Reply(202, body))

    def certs(self, request: Request) -> Answer:
        self.gateway.enter(request, "certs")
        act, instead = self.gateway.fault_of("certs", "")
        return instead if instead is not None else spoiled(act, Reply(200, self.gateway.realm.key_set()))

    def open_certs(self, request: Request) -> Answer:
        return Reply(200, self.gateway.realm.key_set())

    def discovery(self, request: Request) -> Answer:
        here = f"http://{self.gateway.server.address[0]}:{self.gateway.server.address[1]}"
        return Reply(200, json.encode({"jwks_uri": f"{here}/api/hiecm/gateway/v3/certs"}))

    def move_bridge(self, request: Request) -> Answer:
        self.gateway.enter(request, "bridge_url")
        strict.check_json(request.headers)
        self.gateway.bridge_url = decoded(request.body, schemas.BridgeUrl).url.rstrip("/")
        return ACCEPTED

    def bridge_services(self, request: Request) -> Answer:
        self.gateway.enter(request, "bridge_services")
        bridge = {"id": self.gateway.settings.bridge_id, "name": "Simulated", "url": self.gateway.bridge_url,
                  "active": True, "blocklisted": False, "entity": "Government"}  # fmt: skip
        services = [
            {"id": hip, "name": name, "types": ["HIP"], "endpoints": {}, "active": True}
            for hip, name in self.gateway.services.items()
        ]
        return Reply(200, json.encode({"bridge": bridge, "services": services}))
