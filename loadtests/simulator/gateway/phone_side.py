"""The endpoints for PHR apps: share a profile, ask for the running token, read the history (protocol A5, B9)."""

import asyncio
import time
from typing import Any

from msgspec import json

from loadtests.simulator.gateway import schemas, strict
from loadtests.simulator.gateway.core import ACCEPTED, Gateway, decoded, spoiled
from loadtests.simulator.gateway.deliver import stamp
from loadtests.simulator.gateway.http1 import Answer, Reply, Request
from loadtests.simulator.gateway.ledger import Question, Share
from loadtests.simulator.gateway.strict import CallRefused

INTENTS = frozenset({"PROFILE_SHARE", "RECORD_SHARE", "PAYMENT_SHARE"})


class PhoneSide:
    """The endpoints for apps."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        base = "/api/hiecm/patient-share/v3"
        gateway.add_endpoint("POST", f"{base}/share", "share", self.share)
        gateway.add_endpoint("POST", f"{base}/running-token/status", "status", self.status)
        gateway.add_endpoint("GET", f"{base}/profile/getTokenDetails", "history", self.history)

    def share(self, request: Request) -> Answer:
        self._phone_enters(request, "share")
        message = decoded(request.body, schemas.ShareRequest)
        if message.intent not in INTENTS:
            raise CallRefused(400, "ABDM-1049", f"intent is {message.intent!r}")
        if self.gateway.services and message.meta_data.hip_id not in self.gateway.services:
            raise CallRefused(400, "ABDM-1035", "HIP id is not linked", fault=False)
        request_id = request.headers["request-id"]
        if request_id in self.gateway.ledger.shares:
            raise CallRefused(400, "ABDM-1087", "duplicate patient share request", fault=False)
        act, instead = self.gateway.fault_of("share", request_id)
        if instead is not None:
            return instead
        self._begin(request, request_id, message)
        return spoiled(act, ACCEPTED)

    def _phone_enters(self, request: Request, name: str) -> None:
        self.gateway.enter(request, name)
        strict.check_json(request.headers)
        for needed in ("x-hiu-id", "x-auth-token"):
            if not request.headers.get(needed):
                raise CallRefused(401, "900901", f"{needed} is missing")

    def _begin(self, request: Request, request_id: str, message: schemas.ShareRequest) -> None:
        share = Share(request_id=request_id, hip_id=message.meta_data.hip_id,
            context=message.meta_data.context, abha_address=message.profile.patient.abha_address,
            app=request.headers["x-hiu-id"], session=request.headers["x-auth-token"], shared_ms=int(time.time() * 1000),
            wire=self.gateway.fault_plan.faults.deliveries.wire, body=request.body,
        )  # fmt: skip
        self.gateway.ledger.open(share)
        self.gateway.server.keep(self._deliver(share))

    async def _deliver(self, share: Share) -> None:
        waits = self.gateway.fault_plan.copies(share.request_id)
        await asyncio.gather(*(self.gateway.courier.deliver(share, wait_ms=wait) for wait in waits))
        share.body = b""

    def status(self, request: Request) -> Answer:
        self._phone_enters(request, "status")
        message = decoded(request.body, schemas.StatusRequest)
        held = self.gateway.histories.get(request.headers["x-auth-token"], [])
        if not any(share.hip_id == message.hip_id and share.token for share in held):
            raise CallRefused(400, "ABDM-1031", "no tokens for this ABHA address today", fault=False)
        request_id = request.headers["request-id"]
        act, instead = self.gateway.fault_of("status", request_id)
        if instead is not None:
            return instead
        question = Question(
            request_id=request_id, hip_id=message.hip_id, context=message.context, app=request.headers["x-hiu-id"],
            asked_ms=int(time.time() * 1000),
        )  # fmt: skip
        self.gateway.ledger.ask(question)
        self.gateway.server.keep(self._deliver_question(question, request.body))
        return spoiled(act, ACCEPTED)

    async def _deliver_question(self, question: Question, body: bytes) -> None:
        headers = {
            "Authorization": f"Bearer {self.gateway.callback_token()}", "REQUEST-ID": question.request_id,
            "TIMESTAMP": stamp(self.gateway.clock_s()), "X-HIP-ID": question.hip_id, "Content-Type": "application/json",
        }  # fmt: skip
        status = await self.gateway.courier.call(self.gateway.bridge_url + schemas.HIP_STATUS, headers, body)
        self.gateway.ledger.calls[f"delivered status {status}"] += 1

    def history(self, request: Request) -> Answer:
        self.gateway.enter(request, "history")
        limit = request.query.get("limit", [""])[0]
        if limit != "-1" and not limit.isdecimal():
            raise CallRefused(400, "ABDM-1006", "limit is required")
        held = [
            share for share in self.gateway.histories.get(request.headers.get("x-auth-token", ""), []) if share.token
        ]
        newest = held[::-1] if limit == "-1" else held[::-1][: int(limit)]
        return Reply(200, json.encode([self._card(share) for share in newest]))

    def _card(self, share: Share) -> dict[str, Any]:
        return {
            "id": share.n, "patientId": share.abha_address, "tokenNumber": share.token, "hipId": share.hip_id,
            "hipName": self.gateway.services.get(share.hip_id, share.hip_id), "hipAddress": "",
            "expiresIn": share.expiry, "clientId": self.gateway.settings.bridge_id, "counterCode": share.context,
            "dateCreated": stamp(share.settled_ms / 1000),
        }  # fmt: skip
