"""HTTP clients for addresses that others typed: each connects to one checked address, and follows nothing."""

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import Any, Final

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

from kiosk.delivery.message import ANSWER_MAX
from kiosk.exchange.target_setup import Place, literal

ANSWER_S: Final = 2.0
"""For the answer's body after its head. The status has decided by then; the body is only shown."""
CONNECT_S: Final = 5.0
"""Half of a try."""
CLIENTS_KEPT: Final = 256
"""Clients with their connections: 110 kB and 20 ms to make each. The one that was used longest ago is closed."""
IDLE_S: Final = 20.0
"""Below the usual idle limits of servers."""
CLOSED_WITHIN_S: Final = 2.0


class PinnedClients:
    """Keeps them. No redirect is followed, no proxy is taken from the environment, certificates are checked."""

    def __init__(self) -> None:
        self._clients: OrderedDict[tuple[Place, str], Client] = OrderedDict()
        self._closing: set[asyncio.Future[Any]] = set()

    async def close(self) -> None:
        for client in self._clients.values():
            self._close_later(client)
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSED_WITHIN_S)

    def client(self, place: Place, address: str) -> Client:
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


async def beginning(response: Response) -> bytes:
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
