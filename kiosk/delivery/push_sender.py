"""Sends one message to one browser through its push service: RFC 8030, encrypted for that browser alone.

A push service learns that this kiosk sends something, not what. Its host must be one that the operator allows; what its
name resolves to is checked before each connection, and no redirect is followed.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct
from pyreqwest.exceptions import PyreqwestError

from kiosk.delivery.message import TRY_S
from kiosk.delivery.pinned_clients import PinnedClients, beginning
from kiosk.delivery.push_encryption import encrypt
from kiosk.exchange.addresses import AddressRefused, Resolver
from kiosk.exchange.push_subscription import Subscription, SubscriptionWrong, keys_of, service_of
from kiosk.exchange.target_setup import parse_url

USEFUL_S: Final = 600
"""A push service holds a message so long for a phone that is off. A call of ten minutes ago helps nobody."""
AT_ONCE: Final = 25
"""In flight to one push service: one that hangs holds its own places only."""
_GONE: Final = frozenset({404, 410})
_LATER: Final = frozenset({408, 425, 429})
Authorize = Callable[[str, str, int], str]
"""As ``tokens.push_keys.PushKeys.authorization``."""


class PushResult(StrEnum):
    """What one try came to."""

    DELIVERED = "delivered"
    """The push service took it."""
    FAILED = "failed"
    """It may take it later."""
    GONE = "gone"
    """The browser takes no messages any more."""
    REFUSED = "refused"
    """It will never be taken."""


class PushMessage(Struct, frozen=True, kw_only=True):
    """What is sent, and how the push service may treat it."""

    plain: bytes
    topic: str
    """A later message of the same topic replaces an earlier one that still waits for the phone."""
    kid: str
    """The generation of the ring whose key the browser was handed."""


class PushSender:
    """Sends to the services that the operator allows."""

    def __init__(
        self, resolver: Resolver, clients: PinnedClients, authorize: Authorize, services: tuple[str, ...]
    ) -> None:
        self._resolver = resolver
        self._clients = clients
        self._authorize = authorize
        self._services = services
        self._places = {service: asyncio.Semaphore(AT_ONCE) for service in services}

    async def send(self, subscription: Subscription, message: PushMessage) -> PushResult:
        """Try once. Raises nothing but cancellation."""
        try:
            service = service_of(subscription, self._services)
            async with self._places[service], asyncio.timeout(TRY_S):
                return await self._send(subscription, message)
        except SubscriptionWrong:  # the operator allowed this service before, and does not now
            return PushResult.REFUSED
        except (TimeoutError, AddressRefused, PyreqwestError, ValueError):
            return PushResult.FAILED

    async def _send(self, subscription: Subscription, message: PushMessage) -> PushResult:
        browser, auth = keys_of(subscription)
        parts = urlsplit(subscription.endpoint)
        proof = self._authorize(message.kid, f"{parts.scheme}://{parts.netloc}", int(time.time()))
        if not proof:
            return PushResult.GONE
        place = parse_url(subscription.endpoint)
        client = self._clients.client(place, await self._resolver.address_of(place))
        headers = {
            "authorization": proof, "content-encoding": "aes128gcm", "content-type": "application/octet-stream",
            "ttl": str(USEFUL_S), "urgency": "high", "topic": message.topic,
        }  # fmt: skip
        request = client.post(subscription.endpoint).headers(headers).body_bytes(encrypt(message.plain, browser, auth))
        request = request.streamed_read_buffer_limit(1)
        async with request.timeout(timedelta(seconds=TRY_S)).build_streamed() as response:
            await beginning(response)  # read, so that the connection serves the next message
            return result_of(response.status)


def result_of(status: int) -> PushResult:
    """What an answer of a push service means (RFC 8030, section 5 and 7)."""
    if 200 <= status < 300:
        return PushResult.DELIVERED
    if status in _GONE:
        return PushResult.GONE
    return PushResult.FAILED if status in _LATER or status >= 500 else PushResult.REFUSED
