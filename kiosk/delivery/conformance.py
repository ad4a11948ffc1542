"""The checklist for a vendor's receiver: ``kiosk hmis check``.

It sends signed events about invented tickets and looks at the answers. Whether a duplicate was taken once, and whether
the order was kept, only the receiver knows: where it has a page that answers the ids it took (``--seen``), that is
compared as well.
"""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from kiosk.delivery.message import TRY_S
from kiosk.delivery.webhook import Signer
from kiosk.exchange.target_setup import new_secret

SLOW_S: Final = 5.0
"""Half of what a delivery waits: slower than this, a busy day will fail."""
OLD: Final = timedelta(minutes=6)
"""A signature older than five minutes is refused by every verifier of Standard Webhooks."""
SEEN_MAX: Final = 1 << 20
"""Bytes of the list of ids."""


class Row(Struct, frozen=True, kw_only=True):
    """One point of the checklist."""

    point: str
    verdict: Literal["ok", "wrong", "look"]
    """``look``: only a person can see it."""
    words: str


class Sent(Struct, frozen=True, kw_only=True):
    """The answer to one request. Status 0: none."""

    status: int
    took_s: float

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        if self.status:
            return f"answered {self.status} after {self.took_s * 1000:.0f} ms"
        return f"gave no answer within {TRY_S:.0f} seconds" if self.took_s >= TRY_S else "was not reached"


class Checklist:
    """Walks one receiver."""

    def __init__(self, url: str, secret: str, seen_url: str = "") -> None:
        self._url = url
        self._secret = secret
        self._seen_url = seen_url
        self._client: Client = (
            ClientBuilder().user_agent("kiosk").follow_redirects(False).referer(False).no_proxy()
            .timeout(timedelta(seconds=TRY_S)).build()
        )  # fmt: skip
        self._slowest_s = 0.0
        self._run = token_hex(4)

    async def close(self) -> None:
        await self._client.close()

    async def rows(self) -> AsyncIterator[Row]:
        """Each point as soon as it is known. If the receiver cannot be reached, the check ends."""
        visit = [self._event(number, kind) for number, kind in enumerate(("created", "called", "done"))]
        first = await self._send(visit[0])
        yield _row("a signed event is taken", first.taken, first)
        if not first.status:
            return
        for point, headers, body in self._forgeries(visit[0]):
            yield self._refused(point, await self._post(headers, body))
        again = await self._send(visit[0])
        yield _row("the same event again is answered with a 2xx", again.taken, again)
        others = [await self._send(event) for event in visit[1:]]
        yield _row("the next events of the ticket are taken", all(one.taken for one in others), others[-1])
        unknown = await self._send(self._event(9, "unheard_of"))
        yield _row("an event of an unknown type is answered with a 2xx", unknown.taken, unknown)
        script = await self._send(self._event(10, "created", name="मीना کماری " * 20))
        yield _row("names in Devanagari and Nastaliq are taken", script.taken, script)
        yield self._speed()
        async for row in self._of_seen([event["id"] for event in visit]):
            yield row
        yield Row(
            point="410 ends the deliveries", verdict="look",
            words="answer 410 only when you want nothing more: an administrator must switch the webhook on again",
        )  # fmt: skip

    def _refused(self, point: str, sent: Sent) -> Row:
        is_right = 400 <= sent.status < 500 and sent.status != 410
        hint = "" if is_right else "; expected 401 (410 would switch the webhook off)"
        return Row(point=point, verdict="ok" if is_right else "wrong", words=sent.words + hint)

    def _forgeries(self, event: dict[str, Any]) -> list[tuple[str, dict[str, str], bytes]]:
        event = event | {"id": f"check-{self._run}-forged"}
        body, now = msgspec.json.encode(event), datetime.now(UTC)
        good = Signer(self._secret).headers(event["id"], body, now)
        old = Signer(self._secret).headers(event["id"], body, now - OLD)
        other = Signer(new_secret()).headers(event["id"], body, now)
        none = {name: value for name, value in good.items() if not name.endswith(("signature", "signature-256"))}
        return [
            ("a wrong signature is refused", other, body),
            ("a changed body is refused", good, body.replace(b"TEST-1", b"TEST-2")),
            ("a signature that is six minutes old is refused", old, body),
            ("an event without a signature is refused", none, body),
        ]

    def _event(self, number: int, kind: str, name: str = "") -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        ticket = {"id": f"check-{self._run}", "token_number": "TEST-1", "facility": "TEST", "queue": "test"}
        data: dict[str, Any] = {"ticket": ticket} | ({"profile": {"name": name}} if name else {})
        return {"id": f"check-{self._run}-{number}", "type": f"ticket.{kind}", "timestamp": now, "facility": "TEST",
                "cursor": f"{number}-0", "data": data}  # fmt: skip

    async def _send(self, event: dict[str, Any]) -> Sent:
        body = msgspec.json.encode(event)
        sent = await self._post(Signer(self._secret).headers(event["id"], body, datetime.now(UTC)), body)
        self._slowest_s = max(self._slowest_s, sent.took_s)
        return sent

    async def _post(self, headers: dict[str, str], body: bytes) -> Sent:
        since = time.monotonic()
        request = self._client.post(self._url).headers({**headers, "content-type": "application/json"})
        try:
            async with request.body_bytes(body).streamed_read_buffer_limit(1).build_streamed() as response:
                return Sent(status=response.status, took_s=time.monotonic() - since)
        except PyreqwestError:
            return Sent(status=0, took_s=time.monotonic() - since)

    def _speed(self) -> Row:
        slow = self._slowest_s > SLOW_S
        sentence = f"the slowest answer took {self._slowest_s:.1f} s"
        hint = f"; answer first and work afterwards: after {TRY_S:.0f} s the event is sent again" if slow else ""
        return Row(point="answers are fast", verdict="wrong" if slow else "ok", words=sentence + hint)

    async def _of_seen(self, ids: list[str]) -> AsyncIterator[Row]:
        points = ("duplicates are taken once", "the order of a ticket is kept", "nothing forged was taken")
        if not self._seen_url:
            for point in points:
                yield Row(point=point, verdict="look", words="name a page with the ids that you took: --seen URL")
            return
        seen = await self._seen()
        ours = [one for one in seen if one.startswith(f"check-{self._run}-")]
        of_visit = [one for one in ours if one in ids]
        verdicts = (len(ours) == len(set(ours)), of_visit == ids, f"check-{self._run}-forged" not in ours)
        for point, is_right in zip(points, verdicts, strict=True):
            sentence = f"{len(ours)} ids of this check are on the page"
            yield Row(point=point, verdict="ok" if is_right else "wrong", words=sentence)

    async def _seen(self) -> list[str]:
        try:
            response = await self._client.get(self._seen_url).build().send()
            body = bytes(await response.bytes())[:SEEN_MAX]
            return msgspec.json.decode(body, type=list[str])
        except (PyreqwestError, msgspec.MsgspecError):
            return []


def _row(point: str, is_right: bool, sent: Sent) -> Row:
    return Row(point=point, verdict="ok" if is_right else "wrong", words=sent.words)
