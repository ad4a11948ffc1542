"""What one process does to watch the connection to the gateway: its facts, the aliases, and the report for people."""

import asyncio
import socket
import time
from typing import Final

import structlog

from kiosk.abdm import connection
from kiosk.abdm.callers import Callers
from kiosk.abdm.client import Gateway
from kiosk.abdm.errors import Verdict
from kiosk.abdm.jwks import KeySet
from kiosk.observability.checks import Check
from kiosk.observability.clocks import GATEWAY_APART_S, Clocks, is_synchronized, this_start
from queueing.errors import QueueingError
from queueing.registry import Registry
from queueing.store.store import Store, store_time_s

BRIDGE_SEEN_S: Final = 60.0
"""The gateway is asked for the bridge's services at most once in this time, however often the page is opened."""
ALIASES_EVERY_S: Final = 5.0
"""How often a worker reads the aliases, with one small call. A facility that was just linked waits at most
this long.
"""
CLOCKS_EVERY_S: Final = 15.0
"""How often a worker compares the clocks."""
CLOCKS_SAID_AGAIN_S: Final = 600.0
"""One log line about the same wrong clock in ten minutes."""

_log = structlog.get_logger(__name__)


class ConnectionWatch:
    """One per process, web worker or relay."""

    def __init__(
        self,
        store: Store,
        process: str,
        gateway: Gateway | None,
        key_set: KeySet | None = None,
        callers: Callers | None = None,
        *,
        public_url: str = "",
        store_place: str = "",
    ) -> None:
        """``process`` is the name of this process among all processes of the store. ``store_place``: where the store
        is, empty when it is on this machine.
        """
        self.aliases: dict[str, str] = {}
        """Further HIP ids of facilities, and the ids they lead to."""
        self.clock_is_wrong = False
        """Whether one was, when ``watch_clocks`` compared them last."""
        self._store_place = store_place
        self._store = store
        self._registry = Registry(store)
        self._process = process
        self._gateway = gateway
        self._key_set = key_set
        self._callers = callers or Callers()
        self._public_url = public_url
        self._delivered_s = 0.0
        self._parked_s = 0.0
        self._bridge: tuple[float, list[Check]] = (float("-inf"), [])

    def note_reply(self, verdict: Verdict) -> None:
        """A reply to the gateway ended."""
        if verdict is Verdict.DELIVERED:
            self._delivered_s = time.time()
        else:
            self._parked_s = time.time()

    def own_facts(self) -> connection.Facts:
        """What this process knows now."""
        return connection.Facts(
            written_s=time.time(),
            accepted_s=self._callers.accepted_s,
            refusals=self._callers.refusals,
            delivered_s=self._delivered_s,
            parked_s=self._parked_s,
            session_failure=self._gateway.token.failure if self._gateway else "",
            keys=len(self._key_set) if self._key_set is not None else 0,
            start=this_start(),
            gateway_clock_s=self._gateway.clock_since_start_s if self._gateway else 0.0,
        )

    async def facts(self) -> connection.Facts:
        """The merged facts of all processes, with this process's facts of this moment. Raises a QueueingError."""
        others = await connection.collect(self._store, time.time(), without=self._process)
        return connection.merged([*others, self.own_facts()])

    def clocks(self, facts: connection.Facts, store_s: float) -> Clocks:
        """All clocks at this moment. ``facts`` are the merged ones; ``store_s`` is the store's time now."""
        return Clocks(
            here=socket.gethostname(), own_s=time.time(), store=self._store_place, store_s=store_s,
            gateway_s=facts.gateway_s, synchronized=is_synchronized(),
        )  # fmt: skip

    async def watch_clocks(self) -> None:
        """Compare the clocks and log which one is wrong, until cancelled."""
        logged, logged_apart_s, logged_at_s = "", 0.0, float("-inf")
        while True:
            try:
                clocks = self.clocks(await self.facts(), await store_time_s(self._store))
            except QueueingError:  # the store has a reason of its own in ``/readyz``
                await asyncio.sleep(CLOCKS_EVERY_S)
                continue
            self.clock_is_wrong = bool(clocks.wrong)
            is_new = clocks.wrong != logged or abs(clocks.apart_s - logged_apart_s) > GATEWAY_APART_S
            if clocks.wrong and (is_new or time.monotonic() - logged_at_s >= CLOCKS_SAID_AGAIN_S):
                logged_apart_s, logged_at_s = clocks.apart_s, time.monotonic()
                _log.error("clock_wrong", reason=clocks.sentence)
            elif logged and not clocks.wrong:
                _log.info("clocks_agree")
            logged = clocks.wrong
            await asyncio.sleep(CLOCKS_EVERY_S)

    async def report(self) -> list[Check]:
        """For administrators: the facts of all processes, and the bridge as the gateway knows it."""
        facts = await self.facts()
        clocks = self.clocks(facts, await store_time_s(self._store))
        clock = Check("clock", "wrong" if clocks.wrong else "ok", clocks.words or "no clock is wrong", clocks.todo)
        if self._gateway is None:
            return [Check("gateway", "ok", "ABDM is off here. Local queues work."), clock]
        found = [*connection.checks(facts, time.time()), clock]
        if time.monotonic() - self._bridge[0] > BRIDGE_SEEN_S:
            bridge = await connection.bridge_checks(self._gateway, self._registry, self._public_url)
            self._bridge = (time.monotonic(), bridge)
        return found + self._bridge[1]

    async def publish(self) -> None:
        """Write this process's facts once a minute, until cancelled."""
        await connection.publish(self._store, self._process, self.own_facts)

    async def follow_aliases(self) -> None:
        """Read the aliases every few seconds, so that a scan needs no call to the store for them."""
        while True:
            try:
                self.aliases = await self._registry.aliases()
            except QueueingError as away:  # the aliases in memory stay in use
                _log.debug("aliases_not_refreshed", error=type(away).__name__)
            await asyncio.sleep(ALIASES_EVERY_S)
