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
from typing import Final

from pyreqwest.exceptions import PyreqwestError
from standardwebhooks import Webhook

from kiosk.delivery.message import TRY_S, Attempt, Message, Result, first_line
from kiosk.delivery.pinned_clients import PinnedClients, beginning
from kiosk.exchange.addresses import AddressRefused, Resolver
from kiosk.exchange.target_setup import TargetWrong, parse_url
from queueing.targets import Target, TargetFormat

SIGNERS_KEPT: Final = 5_000
"""As many as there are targets. To open a secret and to read a URL costs a tenth of a delivery."""
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
        self._clients = PinnedClients()

    async def close(self) -> None:
        await self._clients.close()

    async def send(self, target: Target, message: Message) -> Attempt:
        try:
            async with asyncio.timeout(TRY_S):
                return await self._send(target, message)
        except TimeoutError:
            return Attempt(result=Result.FAILED, status="timeout", answer=f"no answer within {TRY_S:.0f} seconds")
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
        client = self._clients.client(place, await self._resolver.address_of(place))
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
            line = first_line(await beginning(response), message.private)
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
