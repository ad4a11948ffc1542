"""redis-py clients for work that must not run on the shared connection: blocking reads and administration."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from queueing.store.address import Address

CONNECT_TIMEOUT_S = 1.0
"""The same time as for the shared connection."""


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
    """Closes the clients and gives the event loop the turns in which their sockets close; redis-py does not wait for
    that.
    """
    for client in clients:
        await client.aclose()
    for _ in range(2 if clients else 0):
        await asyncio.sleep(0)


def _no_retry() -> Retry:
    """The library must not retry: a silent retry of a write writes twice. Only the caller, who knows the request id,
    may retry.
    """
    return Retry(NoBackoff(), 0)


def _options(address: Address) -> dict[str, Any]:
    """No read timeout, because these reads are meant to block. The command itself states how long."""
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
