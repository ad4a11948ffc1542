"""The gateway's own record: every share, delivery, answer and protocol fault.

It is bounded: beyond ``remember`` the oldest shares are dropped and only their counts stay. All people are invented.
"""

import hashlib
from collections import Counter, deque
from itertools import islice
from typing import Any

from msgspec import Struct

from loadtests.simulator.gateway.journal import Journal, Line

SHARE_LIVES_MS = 30_000
"""How long a phone waits for the number (protocol B4)."""
FAULTS_KEPT = 10_000
"""Most protocol faults that are stored. More are only counted."""
COUNTED = (
    "shares", "tokens", "refusals", "given_up", "late", "unknown", "repeats", "unasked_repeats", "forgotten",
    "protocol_faults", "questions", "statuses",
)  # fmt: skip


class Delivery(Struct):
    """One call of ours to the bridge; status 0: no answer came."""

    at_ms: int
    took_ms: int
    status: int


class Answer(Struct):
    """One on-share for a share; status 0: our reply was lost on purpose."""

    at_ms: int
    status: int


class Share(Struct, kw_only=True):
    """One share from the phone's request to the token on its screen."""

    n: int = 0
    """The share's number in the ledger, given by ``open``."""
    request_id: str
    hip_id: str
    context: str
    abha_address: str
    app: str
    session: str
    shared_ms: int
    wire: str = "v3"
    foreign: bool = False
    """A load test delivered it, or it was unknown until its answer came. So there is nothing to compare with."""
    body: bytes = b""
    """Deleted after the last delivery."""
    deliveries: list[Delivery] = []
    answers: list[Answer] = []
    clean: int = 0
    """Correct answers that we accepted with a 202."""
    reply_body: bytes = b""
    """Digest of the first accepted answer without its expiry."""
    token: str = ""
    error: str = ""
    expiry: int = 0
    settled_ms: int = 0
    """When the first correct answer was accepted; 0: not yet."""
    given_up: bool = False

    def row(self) -> dict[str, Any]:
        """The share as ``GET /_sim/ledger`` shows it."""
        return {
            "n": self.n, "request_id": self.request_id, "hip_id": self.hip_id, "context": self.context,
            "abha_address": self.abha_address, "shared_ms": self.shared_ms, "settled_ms": self.settled_ms,
            "token": self.token, "error": self.error, "expiry": self.expiry, "clean": self.clean,
            "given_up": self.given_up, "deliveries": self.deliveries, "answers": self.answers,
        }  # fmt: skip


def foreign(request_id: str, now_ms: int) -> Share:
    """A share that a load test delivered, of which we know only the answer."""
    return Share(
        request_id=request_id,
        hip_id="",
        context="",
        abha_address="",
        app="",
        session="",
        shared_ms=now_ms,
        foreign=True,
    )


class Question(Struct, kw_only=True):
    """One question for the running token."""

    request_id: str
    hip_id: str
    context: str
    app: str
    asked_ms: int
    answered: bool = False


class ProtocolFault(Struct, frozen=True):
    """A caller broke the protocol."""

    at_ms: int
    where: str
    request_id: str
    words: str


class Ledger:
    """All shares, questions and faults. Times are Unix milliseconds of this machine."""

    def __init__(self, *, remember: int = 1_000_000, journal: Journal | None = None) -> None:
        self.remember = remember
        self.journal = journal
        self.shares: dict[str, Share] = {}
        self.questions: dict[str, Question] = {}
        self.faults: list[ProtocolFault] = []
        self.counts: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._outer_ids: dict[str, str] = {}
        self._held: deque[Share] = deque()

    def open(self, share: Share) -> None:
        """Record a new share."""
        self.counts["shares"] += 1
        share.n = self.counts["shares"]
        self.shares[share.request_id] = share
        if not share.foreign:
            self._held.append(share)
        while len(self.shares) > self.remember:
            del self.shares[next(iter(self.shares))]
            self.counts["forgotten"] += 1
        while len(self._outer_ids) > 2 * self.remember:
            del self._outer_ids[next(iter(self._outer_ids))]

    def ask(self, question: Question) -> None:
        """Record a new question for the running token."""
        self.counts["questions"] += 1
        self.questions[question.request_id] = question
        while len(self.questions) > self.remember:
            del self.questions[next(iter(self.questions))]

    def add_fault(self, at_ms: int, where: str, request_id: str, message: str) -> None:
        """Record a protocol fault."""
        self.counts["protocol_faults"] += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(ProtocolFault(at_ms, where, request_id[:64], message[:300]))

    def borrowed(self, outer_id: str, request_id: str) -> bool:
        """Whether the REQUEST-ID header was used for another share before."""
        return self._outer_ids.setdefault(outer_id, request_id) != request_id

    def settle(self, share: Share, now_ms: int, *, reply_body: bytes, token: str, error: str, expiry: int) -> str:
        """Record an accepted answer. Returns an empty text, or how it differs from the first answer.

        A second answer must be the same except for its expiry, which must not rise.
        """
        digest = hashlib.blake2b(reply_body, digest_size=16).digest()
        if share.settled_ms:
            self.counts["repeats"] += 1
            if digest != share.reply_body:
                return "a second answer says something else"
            if expiry > share.expiry:
                return f"expiry rose from {share.expiry} to {expiry}"
            share.expiry = expiry
            return ""
        share.reply_body, share.token, share.error, share.expiry, share.settled_ms = (
            digest,
            token,
            error,
            expiry,
            now_ms,
        )
        self.counts["tokens" if token else "refusals"] += 1
        return ""

    def replied(self, share: Share, now_ms: int, status: int) -> None:
        """Record our reply to an on-share. One correct answer for each delivery is expected; more are counted as
        needless.
        """
        share.answers.append(Answer(now_ms, status))
        if self.journal is not None:
            facts = (share.token, share.error, share.expiry, share.context, share.abha_address)
            self.journal.write(Line(now_ms, share.request_id, status, *facts))
        if status == 202:
            share.clean += 1
            if share.clean > max(1, len(share.deliveries)):
                self.counts["unasked_repeats"] += 1

    def overdue(self, now_ms: int) -> list[Share]:
        """Shares whose phone has just stopped waiting. Each is returned once."""
        late = []
        while self._held and self._held[0].shared_ms + SHARE_LIVES_MS <= now_ms:
            share = self._held.popleft()
            if not share.settled_ms:
                share.given_up = True
                self.counts["given_up"] += 1
                late.append(share)
        return late

    def summary(self) -> dict[str, Any]:
        """Counts, and how long phones waited (ms from share to accepted answer)."""
        waits = sorted(s.settled_ms - s.shared_ms for s in self.shares.values() if s.settled_ms and not s.foreign)
        statuses = Counter(str(d.status) for s in self.shares.values() for d in s.deliveries)
        parts = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {
            **{name: self.counts[name] for name in COUNTED},
            "pending": sum(1 for s in self.shares.values() if not s.settled_ms and not s.given_up),
            "deliveries": dict(statuses),
            "wait_ms": {name: waits[int(part * (len(waits) - 1))] for name, part in parts.items()} if waits else {},
            "calls": dict(self.calls),
        }

    def page(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Shares numbered above ``after``, oldest first."""
        first = self.counts["forgotten"]
        return [
            share.row() for share in islice(self.shares.values(), max(0, after - first), max(0, after - first) + limit)
        ]
