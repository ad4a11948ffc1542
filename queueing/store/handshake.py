"""The first exchange on a connection: log in, read the server's facts, refuse a server that does not suit us."""

import asyncio
from collections.abc import Set
from typing import Final, Literal

from msgspec import Struct

from queueing.errors import StoreAway, StoreRefused, StoreUnsuitable
from queueing.store.address import Address
from queueing.store.resp_protocol import Command, Wire

OLDEST = {"valkey": (8, 0), "redis": (7, 2)}
"""The oldest versions that still get fixes and have what we need: functions, several names in one CONFIG GET."""
NOT_YET = frozenset({"LOADING", "BUSY", "MASTERDOWN"})
"""Answers to a handshake that mean: try again later."""


Vouched = Literal["durable", "noeviction"]
"""What an operator may vouch for when a managed store hides it. If the store states it, the store's answer counts."""
NEVER_FORGETS: Final = "noeviction"
FACTS: Final[tuple[Command, ...]] = (
    ("INFO", "server", "memory"),
    ("CONFIG", "GET", "appendonly", "appendfsync", "maxmemory-policy"),
)
"""The two questions whose answers ``read_facts`` reads. The server's access list may refuse either."""


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What a node answered about itself last. Empty where it refused to answer."""

    product: str = ""
    version: tuple[int, ...] = ()
    fsync_always: bool = False
    """The server sends every answer after its write is on disk."""
    eviction_policy: str = ""
    """``noeviction``, or the policy by which the server evicts keys when its memory is full."""
    has_slots: bool = False
    """The server runs in cluster mode, even if it is the only node: a call must stay in one slot."""


async def greet(wire: Wire, address: Address, name: str, vouched: Set[str] = frozenset()) -> ServerFacts:
    """Logs in and reads the server's facts in one round trip.

    Raises StoreUnsuitable when another try cannot help, StoreAway while the server is loading.
    """
    if wire.lost.done():
        raise StoreAway(wire.lost.result())
    needed: list[Command] = []
    if address.password:
        needed.append(("AUTH", address.username, address.password) if address.username else ("AUTH", address.password))
    if address.db:
        needed.append(("SELECT", address.db))
    questions: list[Command] = [("CLIENT", "SETNAME", name), *FACTS, ("PING",)]
    answers = await asyncio.gather(*[wire.send(command) for command in [*needed, *questions]], return_exceptions=True)
    for answer in answers:
        if isinstance(answer, StoreAway):
            raise answer
    *agreed, _, info, config, pong = answers
    for answer in (*agreed, pong):
        if isinstance(answer, StoreRefused):
            raise (StoreAway if answer.code in NOT_YET else StoreUnsuitable)(f"it answers {answer.code}")
    if pong != b"PONG":
        raise StoreUnsuitable("it does not speak the Redis protocol")
    return demand_suitable(read_facts(info, config, vouched))


async def ask_again(wire: Wire, vouched: Set[str] = frozenset()) -> ServerFacts:
    """The facts of this moment. Raises StoreAway, StoreBusy, or StoreUnsuitable when the server no longer suits us."""
    info, config = await asyncio.gather(*[wire.send(command) for command in FACTS], return_exceptions=True)
    for answer in (info, config):
        if isinstance(answer, StoreAway):
            raise answer
    return demand_suitable(read_facts(info, config, vouched))


def read_facts(info: object, config: object, vouched: Set[str] = frozenset()) -> ServerFacts:
    """Reads the answers to ``FACTS``. Both name the eviction policy; only CONFIG says whether each write is fsynced.

    Valkey names its own version and, for old clients, the Redis version it was forked from.
    """
    lines = info.decode("utf-8", "replace").splitlines() if isinstance(info, bytes) else []
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    product = "valkey" if "valkey_version" in fields else "redis"
    version = fields.get(f"{product}_version", "")
    items = config if isinstance(config, list) else []
    settings = {str(name, "ascii", "replace"): value for name, value in zip(items[::2], items[1::2], strict=False)}
    policy = settings.get("maxmemory-policy", b"").decode("ascii", "replace") or fields.get("maxmemory_policy", "")
    fsync = settings.get("appendonly") == b"yes" and settings.get("appendfsync") == b"always"
    return ServerFacts(
        product=product if version else "",
        version=tuple(int(part) for part in version.split(".") if part.isdecimal()),
        fsync_always=fsync if "appendfsync" in settings else "durable" in vouched,
        eviction_policy=policy or (NEVER_FORGETS if NEVER_FORGETS in vouched else ""),
        has_slots=fields.get("server_mode", fields.get("redis_mode")) == "cluster",
    )


def demand_suitable(facts: ServerFacts) -> ServerFacts:
    """Raises StoreUnsuitable for a server that is too old or may evict keys. A hidden version is accepted."""
    if facts.product and facts.version < OLDEST[facts.product]:
        found = ".".join(map(str, facts.version))
        raise StoreUnsuitable(f"it is {facts.product} {found}; needed is Valkey 8.0 or newer, or Redis 7.2 or newer")
    if not facts.eviction_policy:
        raise StoreUnsuitable(
            "it hides its maxmemory-policy: check that it is noeviction, then set KIOSK_STORE_VOUCHED=noeviction"
        )
    if facts.eviction_policy != NEVER_FORGETS:
        raise StoreUnsuitable(
            f"it forgets keys when its memory is full (maxmemory-policy {facts.eviction_policy[:40]}), so numbers "
            "would be given twice: set maxmemory-policy noeviction"
        )
    return facts
