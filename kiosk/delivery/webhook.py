"""Sends events to webhooks, by Standard Webhooks: ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``.

``X-Hub-Signature-256`` stands beside them for receivers that know only that: HMAC-SHA256 of the body with the whole
secret text (``whsec_…``) as the key. Any 2xx is a yes, 410 switches the webhook off, everything else is tried again. No
redirect is followed, no proxy is taken from the environment, certificates are checked, and each connection goes to an
address that was checked.
"""

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from standardwebhooks import Webhook

from kiosk.delivery.addresses import AddressRefused, Resolver
from kiosk.delivery.message import ANSWER_MAX, TRY_S, Attempt, Message, Result, first_line
from kiosk.exchange.target_setup import Place, TargetWrong, literal, parse_url
from queueing.targets import Target, TargetFormat

CONNECT_S: Final = 5.0
"""Half of a try."""
ANSWER_S: Final = 2.0
"""For the answer's body after its head. The status has decided by then; the body is only shown."""
CLIENTS_KEPT: Final = 256
"""Clients with their connections: 110 kB and 20 ms to make each. The one that was used longest ago is closed."""
SIGNERS_KEPT: Final = 5_000
"""As many as there are targets. To open a secret and to read a URL costs a tenth of a delivery."""
IDLE_S: Final = 20.0
"""Below the usual idle limits of servers."""
CLOSED_WITHIN_S: Final = 2.0
_place = lru_cache(SIGNERS_KEPT)(parse_url)
_TYPES: Final = {TargetFormat.JSON: "application/json", TargetFormat.FHIR: "application/fhir+json"}


class Signer:
    """Signs with one webhook's secret."""

    def __init__(self, secret: str) -> None:
        self._webhook, self._secret = Webhook(secret), secret.encode()

    def headers(self, event_id: str, body: bytes, at: datetime) -> dict[str, str]:
        """The headers by which a receiver knows that the body is ours, whole and new."""
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._webhook.sign(event_id, at, body.decode()),
            "x-hub-signature-256": f"sha256={hmac.digest(self._secret, body, hashlib.sha256).hex()}",
        }


class WebhookSender:
    """Sends to any number of webhooks. ``open_secret`` opens a target's sealed secret; None when it cannot."""

    def __init__(self, resolver: Resolver, open_secret: Callable[[Target], str | None]) -> None:
        self._resolver = resolver
        self._open_secret = open_secret
        self._signers: OrderedDict[tuple[str, str], Signer] = OrderedDict()
        """By target and sealed secret."""
        self._clients: OrderedDict[tuple[Place, str], Client] = OrderedDict()
        self._closing: set[asyncio.Future[Any]] = set()

    async def close(self) -> None:
        for client in self._clients.values():
            self._close_later(client)
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSED_WITHIN_S)

    async def send(self, target: Target, message: Message) -> Attempt:
        try:
            async with asyncio.timeout(TRY_S):
                return await self._send(target, message)
        except TimeoutError:
            return Attempt(result=Result.FAILED, status="timeout", answer="no answer within 10 seconds")
        except (TargetWrong, AddressRefused) as refused:
            return Attempt(result=Result.FAILED, status="refused", answer=str(refused))
        except (PyreqwestError, ValueError) as broken:  # ValueError: a host that only the client finds wrong
            return Attempt(result=Result.FAILED, status="unreachable", answer=type(broken).__name__)

    async def _send(self, target: Target, message: Message) -> Attempt:
        signer = self._signer(target)
        if signer is None:
            answer = "its secret cannot be opened with this key ring: remove the webhook and add it again"
            return Attempt(result=Result.FAILED, status="no secret", answer=answer)
        place = _place(target.address)
        client = self._client(place, await self._resolver.address_of(place))
        headers = {
            **signer.headers(message.event_id, message.body, datetime.now(UTC)),
            "content-type": _TYPES[target.format],
            "x-kiosk-event": message.event_type,
            "x-kiosk-cursor": message.cursor,
        }
        request = client.post(target.address).headers(headers).body_bytes(message.body)
        request = request.streamed_read_buffer_limit(1)  # else the head waits for 64 kB of the body
        async with request.timeout(timedelta(seconds=TRY_S)).build_streamed() as response:
            status = response.status
            line = first_line(await _beginning(response), message.private)
        if 200 <= status < 300:
            return Attempt(result=Result.DELIVERED, status=str(status), answer=line)
        result = Result.SWITCHED_OFF if status == 410 else Result.FAILED
        return Attempt(result=result, status=str(status), answer=line)

    def _signer(self, target: Target) -> Signer | None:
        """None when the secret cannot be opened."""
        key = (target.id, target.secret)
        signer = self._signers.get(key)
        if signer is None and (secret := self._open_secret(target)) is not None:
            signer = self._signers[key] = Signer(secret)
            if len(self._signers) > SIGNERS_KEPT:
                self._signers.popitem(last=False)
        return signer

    def _client(self, place: Place, address: str) -> Client:
        """The client whose connections go to this address; another address is another client."""
        key = (place, address)
        client = self._clients.pop(key, None) or _pinned_client(place, address)
        self._clients[key] = client
        while len(self._clients) > CLIENTS_KEPT:
            self._close_later(self._clients.popitem(last=False)[1])
        return client

    def _close_later(self, client: Client) -> None:
        closing = asyncio.ensure_future(client.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def _pinned_client(place: Place, address: str) -> Client:
    builder = (
        ClientBuilder()
        .user_agent("kiosk")
        .https_only(place.encrypted)
        .follow_redirects(False)
        .referer(False)
        .no_proxy()
        .gzip(False)  # nothing is unpacked: a small answer stays small
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .connect_timeout(timedelta(seconds=CONNECT_S))
        .pool_idle_timeout(timedelta(seconds=IDLE_S))
    )
    if literal(place.host) is None:
        builder = builder.resolve(place.host, address, place.port)
    return builder.build()


async def _beginning(response: Any) -> bytes:
    """At most ``ANSWER_MAX`` bytes of the body, or what comes in two seconds. The connection of a longer one is
    closed.
    """
    body = b""
    try:
        async with asyncio.timeout(ANSWER_S):
            while len(body) < ANSWER_MAX and (chunk := await response.body_reader.read_chunk()) is not None:
                body += bytes(chunk)
    except (TimeoutError, PyreqwestError):
        pass
    return body[:ANSWER_MAX]
