"""redis-py clients for what the shared connection must not do: reads that block, and administration."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from queueing.store.address import Address

CONNECT_TIMEOUT_S = 1.0
"""As for the shared connection."""


def single_client(address: Address, short_path: str | None) -> Redis:
    """A client of one server; ``short_path`` is its Unix socket's path as the kernel takes it."""
    place: dict[str, Any] = {"host": address.host, "port": address.port}
    if short_path is not None:
        place = {"unix_socket_path": short_path}
    return Redis(db=address.db, **place, **_options(address), retry=_no_retry())


def cluster_client(seeds: tuple[Address, ...]) -> RedisCluster:
    """A client of a whole cluster."""
    nodes = [ClusterNode(seed.host, seed.port) for seed in seeds]
    return RedisCluster(startup_nodes=nodes, **_options(seeds[0]), retry=_no_retry())


async def close_clients(clients: Sequence[Redis | RedisCluster]) -> None:
    """Close them and let their sockets go: redis-py does not wait for the turns of the loop that this takes."""
    for client in clients:
        await client.aclose()
    for _ in range(2 if clients else 0):
        await asyncio.sleep(0)


def _no_retry() -> Retry:
    """A library's silent retry of a write is a second write: ours carry request ids and are retried by who knows
    them.
    """
    return Retry(NoBackoff(), 0)


def _options(address: Address) -> dict[str, Any]:
    """No deadline on reads: they are meant to block, and whoever waits sets the bound in the command."""
    options: dict[str, Any] = {
        "username": address.username or None,
        "password": address.password or None,
        "socket_timeout": None,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "protocol": 2,
    }
    if address.tls is not None:
        options["ssl"] = True
        options["ssl_ca_certs"] = address.tls.ca_certs or None
        options["ssl_certfile"] = address.tls.certfile or None
        options["ssl_keyfile"] = address.tls.keyfile or None
    return options
