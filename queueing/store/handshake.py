"""The first words on a connection: who we are, who answers, and whether that one can serve us at all."""

import asyncio

from msgspec import Struct

from queueing.errors import StoreAway, StoreRefused, StoreUnsuitable
from queueing.store.address import Address
from queueing.store.resp_protocol import Command, Wire

OLDEST = {"valkey": (8, 0), "redis": (7, 2)}
"""The first that are still repaired and know all we ask for: functions, several names in one CONFIG GET."""
NOT_YET = frozenset({"LOADING", "BUSY", "MASTERDOWN"})
"""Answers to a greeting that mean: ask again later."""


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What a node said of itself when we connected. Empty where it refused to say."""

    product: str = ""
    version: tuple[int, ...] = ()
    fsync_always: bool = False
    """Every answer leaves after its write is on disk."""
    has_slots: bool = False
    """It runs in cluster mode, be it alone: a call must stay in one slot."""


async def greet(wire: Wire, address: Address, name: str) -> ServerFacts:
    """Say who we are, learn who answers, in one round trip.

    Raises StoreUnsuitable where trying again cannot help, StoreAway while the server is loading.
    """
    if wire.lost.done():
        raise StoreAway(wire.lost.result())
    needed: list[Command] = []
    if address.password:
        needed.append(("AUTH", address.username, address.password) if address.username else ("AUTH", address.password))
    if address.db:
        needed.append(("SELECT", address.db))
    asked = [("CLIENT", "SETNAME", name), ("INFO", "server"), ("CONFIG", "GET", "appendonly", "appendfsync"), ("PING",)]
    answers = await asyncio.gather(*[wire.send(command) for command in [*needed, *asked]], return_exceptions=True)
    for answer in answers:
        if isinstance(answer, StoreAway):
            raise answer
    *agreed, _, info, config, pong = answers
    for answer in (*agreed, pong):
        if isinstance(answer, StoreRefused):
            raise (StoreAway if answer.code in NOT_YET else StoreUnsuitable)(f"it answers {answer.code}")
    if pong != b"PONG":
        raise StoreUnsuitable("it does not speak the Redis protocol")
    return demand_recent(read_facts(info, config))


def read_facts(info: object, config: object) -> ServerFacts:
    """From the answers to INFO and CONFIG GET, each of which an access list may refuse.

    Valkey names its own version and, for old clients, that of the Redis it sprang from.
    """
    lines = info.decode("utf-8", "replace").splitlines() if isinstance(info, bytes) else []
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    product = "valkey" if "valkey_version" in said else "redis"
    version = said.get(f"{product}_version", "")
    items = config if isinstance(config, list) else []
    settings = dict(zip(items[::2], items[1::2], strict=False))
    return ServerFacts(
        product=product if version else "",
        version=tuple(int(part) for part in version.split(".") if part.isdecimal()),
        fsync_always=settings == {b"appendonly": b"yes", b"appendfsync": b"always"},
        has_slots=said.get("server_mode", said.get("redis_mode")) == "cluster",
    )


def demand_recent(facts: ServerFacts) -> ServerFacts:
    """Raises StoreUnsuitable for a server known to be too old. One that hides its version is believed."""
    if facts.product and facts.version < OLDEST[facts.product]:
        found = ".".join(map(str, facts.version))
        raise StoreUnsuitable(f"it is {facts.product} {found}; needed is Valkey 8.0 or newer, or Redis 7.2 or newer")
    return facts
