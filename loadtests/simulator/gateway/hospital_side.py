"""The endpoints for hospitals: on-share, on-status, and on-share in the form of v1.0 and v0.5 (protocol C, B9)."""

import time

from msgspec import UNSET, json

from loadtests.simulator.gateway import ledger, schemas, strict
from loadtests.simulator.gateway.core import ACCEPTED, Gateway, spoiled
from loadtests.simulator.gateway.faults import Act
from loadtests.simulator.gateway.http1 import Answer, Reply, Request
from loadtests.simulator.gateway.ledger import Share
from loadtests.simulator.gateway.strict import CallRefused


class HospitalSide:
    """The endpoints for bridges."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        gateway.add_endpoint("POST", schemas.ON_SHARE, "on_share", self.on_share)
        gateway.add_endpoint("POST", schemas.ON_STATUS, "on_status", self.on_status)
        for path in schemas.LEGACY_ON_SHARE:
            gateway.add_endpoint("POST", path, "legacy_on_share", self.legacy_on_share)

    def on_share(self, request: Request) -> Answer:
        self.gateway.enter(request, "on_share")
        strict.check_json(request.headers)
        reply = strict.read_on_share(request.body)
        request_id = reply.response.request_id
        act, instead = self.gateway.fault_of("on_share", request_id)
        share = self._known(request_id)
        if instead is not None:
            _note_fault(share, instead)
            return instead
        judged = strict.judge(reply, share)
        if share.foreign and reply.acknowledgement is not UNSET:
            share.abha_address, share.context = (
                reply.acknowledgement.abha_address,
                reply.acknowledgement.profile.context,
            )
        self._settle(request, share, judged, "REQUEST-ID", request.headers["request-id"])
        self.gateway.send_to_app(share, schemas.APP_ON_SHARE, json.decode(request.body))
        return self._replied(request, share, act)

    def legacy_on_share(self, request: Request) -> Answer:
        if "x-cm-id" not in request.headers:
            raise CallRefused(401, "", "X-CM-ID is missing")
        self.gateway.caller(request, "legacy_on_share")
        strict.check_json(request.headers)
        reply = strict.read_legacy(request.body, schemas.LEGACY_ON_SHARE[request.path])
        if not strict.is_uuid(reply.request_id):
            raise CallRefused(400, "ABDM-1030", "requestId is no UUID")
        strict.check_timestamp(reply.timestamp, int(time.time() * 1000))
        act, instead = self.gateway.fault_of("on_share", reply.resp.request_id)
        share = self._known(reply.resp.request_id)
        if instead is not None:
            _note_fault(share, instead)
            return instead
        if schemas.LEGACY_ON_SHARE[request.path] != share.wire and not share.foreign:
            raise CallRefused(400, "ABDM-1006", f"a {share.wire} share was answered at {request.path}")
        self._settle(request, share, strict.judge_legacy(reply, share), "requestId", reply.request_id)
        self.gateway.send_to_app(share, schemas.APP_ON_SHARE, json.decode(request.body))
        return self._replied(request, share, act)

    def _known(self, request_id: str) -> Share:
        share = self.gateway.ledger.shares.get(request_id)
        if share is not None:
            return share
        if self.gateway.settings.accept_unknown and strict.is_uuid(request_id):
            share = ledger.foreign(request_id, int(time.time() * 1000))
            self.gateway.ledger.open(share)
            return share
        self.gateway.ledger.counts["unknown"] += 1
        raise CallRefused(404, "ABDM-1001", f"no share matches {request_id[:64]!r}")

    def _settle(self, request: Request, share: Share, judged: strict.Judged, header: str, outer_id: str) -> None:
        now_ms = int(time.time() * 1000)
        if self.gateway.ledger.borrowed(outer_id.lower(), share.request_id):
            raise CallRefused(400, "ABDM-1087", f"{header} was used for another share")
        try:
            strict.check_in_time(share, now_ms)
        except CallRefused:
            self.gateway.ledger.counts["late"] += 1
            self.gateway.ledger.replied(share, now_ms, 408)
            raise
        first = not share.settled_ms
        wrong = self.gateway.ledger.settle(
            share, now_ms, reply_body=judged.body, token=judged.token, error=judged.error, expiry=judged.expiry
        )
        if wrong:
            self.gateway.ledger.replied(share, now_ms, 400)
            raise CallRefused(400, "ABDM-1087", wrong)
        if first and share.session:
            self.gateway.remember_for(share)

    def _replied(self, request: Request, share: Share, act: Act) -> Answer:
        """Answer 202, unless a fault loses the reply. Only after a 202 that arrived is another on-share needless."""
        clean = act is Act.GOOD and not request.line.closed
        self.gateway.ledger.replied(share, int(time.time() * 1000), 202 if clean else 0)
        return spoiled(act, ACCEPTED)

    def on_status(self, request: Request) -> Answer:
        self.gateway.enter(request, "on_status")
        strict.check_json(request.headers)
        reply = strict.read_on_status(request.body)
        request_id = reply.response.request_id
        act, instead = self.gateway.fault_of("on_status", request_id)
        if instead is not None:
            return instead
        question = self.gateway.ledger.questions.get(request_id)
        if question is None:
            self.gateway.ledger.counts["unknown"] += 1
            raise CallRefused(404, "ABDM-1001", f"no question matches {request_id[:64]!r}")
        if self.gateway.ledger.borrowed(request.headers["request-id"].lower(), request_id):
            raise CallRefused(400, "ABDM-1087", "REQUEST-ID was used for another request")
        strict.judge_status(reply, question)
        self.gateway.ledger.counts["statuses"] += not question.answered
        question.answered = True
        self.gateway.send_to_app(question, schemas.APP_ON_STATUS, json.decode(request.body))
        return spoiled(act, ACCEPTED)


def _note_fault(share: Share, instead: Answer) -> None:
    """Record an answer that we refused on purpose."""
    share.answers.append(ledger.Answer(int(time.time() * 1000), instead.status if isinstance(instead, Reply) else 0))
