"""The state of the connection to the gateway, for operators: accepted and refused callers, and the gateway's answers.

Each process keeps its own facts and writes them to the store once a minute. A report merges the facts of all processes,
so every process gives the same report.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from kiosk.abdm.access_token import session_step
from kiosk.abdm.callers import NEXT_STEPS, Refusals, all_refused, reason_shown
from kiosk.abdm.client import Gateway
from kiosk.abdm.errors import GatewayError
from kiosk.abdm.schemas import BridgeServices
from kiosk.observability.checks import Check
from kiosk.observability.clocks import running_s, this_start
from queueing.connection_facts import drop_facts, read_facts, write_facts
from queueing.errors import QueueingError
from queueing.registry import Registry
from queueing.store.store import Store

WRITE_EVERY_S: Final = 60.0
LOOK_EVERY_S: Final = 5.0
"""How often a process checks its own facts. The first caller or refusal after a quiet minute is written at once.
Otherwise the report would show only one worker's refusals until the other workers write that they accepted callers."""
FORGET_S: Final = 86_400.0
SHOWN_MAX: Final = 5
"""How many ids one line lists. The others are only counted."""
FACILITIES_MAX: Final = 20_000
"""How many facilities are compared with the bridge: five times as many as a large state has (3,600)."""


class Facts(Struct, array_like=True):
    """Facts of one process, or of all processes merged. Times are unix seconds; 0 means never. New fields go last and
    have defaults.
    """

    written_s: float = 0.0
    accepted_s: float = 0.0
    refusals: dict[str, Refusals] = field(default_factory=dict)
    delivered_s: float = 0.0
    """When the gateway acknowledged a reply last."""
    parked_s: float = 0.0
    session_failure: str = ""
    """Why the gateway refused a session, as status and code; empty when it gave one."""
    keys: int = 0
    """The number of usable keys of the gateway that we have."""
    start: str = ""
    """``clocks.this_start`` of the process's machine."""
    gateway_clock_s: float = 0.0
    """``Gateway.clock_since_start_s``. Of merged facts: of this machine's processes alone."""

    @property
    def gateway_s(self) -> float | None:
        """The time that the gateway's clock shows now, unix seconds; None when it was not read on this machine."""
        return self.gateway_clock_s + running_s() if self.gateway_clock_s else None


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Facts).decode


def merged(all_facts: Iterable[Facts]) -> Facts:
    """The latest time of each kind, and the sum of all refusals."""
    whole = Facts()
    for facts in sorted(all_facts, key=lambda one: one.written_s):
        whole.written_s = max(whole.written_s, facts.written_s)
        whole.accepted_s = max(whole.accepted_s, facts.accepted_s)
        whole.delivered_s = max(whole.delivered_s, facts.delivered_s)
        whole.parked_s = max(whole.parked_s, facts.parked_s)
        whole.session_failure = facts.session_failure
        whole.keys = max(whole.keys, facts.keys)
        if facts.gateway_clock_s and facts.start == this_start():
            whole.gateway_clock_s = facts.gateway_clock_s
        for reason, record in facts.refusals.items():
            total = whole.refusals.setdefault(reason, Refusals())
            total.count += record.count
            if record.last_s >= total.last_s:
                total.last_s, total.seen = record.last_s, record.seen
    return whole


async def publish(store: Store, process: str, own_facts: Callable[[], Facts]) -> None:
    """Write this process's facts once a minute, until cancelled. While the store is away the next check tries again."""
    written = Facts()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        facts = own_facts()
        facts.written_s = time.time()
        if facts.written_s - written.written_s >= WRITE_EVERY_S or _latest(facts) - _latest(written) >= WRITE_EVERY_S:
            packed = _pack(facts)
            with contextlib.suppress(QueueingError):
                await write_facts(store, process, packed)
                written = _unpack(packed)


def _latest(facts: Facts) -> float:
    """When the latest caller was accepted or refused."""
    return max([facts.accepted_s, *(record.last_s for record in facts.refusals.values())])


async def collect(store: Store, now_s: float, *, without: str = "") -> list[Facts]:
    """The facts of all processes that wrote within a day, but not those of the process ``without``."""
    found: dict[str, Facts] = {}
    old: list[str] = []
    for process, packed in (await read_facts(store)).items():
        try:
            facts = _unpack(packed)
        except msgspec.MsgspecError:  # facts that another release wrote
            continue
        if now_s - facts.written_s > FORGET_S:
            old.append(process)
        elif process != without:
            found[process] = facts
    await drop_facts(store, old)
    return list(found.values())


def refused_words(facts: Facts, now_s: float) -> str:
    """One sentence when every callback of the last minutes was refused; else an empty text."""
    reason = all_refused(facts.accepted_s, facts.refusals, now_s)
    if not reason:
        return ""
    shown = reason_shown(reason, facts.refusals[reason])
    return f"every callback of the last 20 minutes was refused ({shown}): {NEXT_STEPS.get(reason, '')}"


def checks(facts: Facts, now_s: float) -> Iterator[Check]:
    """The checks that an operator sees, made from the facts."""
    if sentence := refused_words(facts, now_s):
        yield Check("callbacks", "wrong", sentence)
    accepted = f"the last one was accepted {_ago(facts.accepted_s, now_s)}" if facts.accepted_s else "none came yet"
    yield Check("callback", "ok", accepted)
    ended = f"acknowledged the last one {_ago(facts.delivered_s, now_s)}" if facts.delivered_s else "has had none yet"
    yield Check("reply", "ok", f"the gateway {ended}")
    for reason, record in sorted(facts.refusals.items()):
        callers = "1 caller" if record.count == 1 else f"{record.count} callers"
        sentence = f"{callers} refused ({reason_shown(reason, record)}), the last {_ago(record.last_s, now_s)}"
        yield Check("refusals", "warning", sentence, NEXT_STEPS.get(reason, ""))
    if facts.session_failure:
        sentence = f"the gateway refused a session: {facts.session_failure}"
        yield Check("token", "wrong", sentence, session_step(facts.session_failure))
    elif facts.written_s:
        yield Check("token", "ok", "no session was refused since the last one was given")
    if facts.written_s and not facts.keys:
        yield Check(
            "key set", "warning", "the gateway's keys are not known yet", "they are fetched with the first share"
        )
    elif facts.keys:
        yield Check("key set", "ok", f"{facts.keys} keys of the gateway are known")


def _ago(then_s: float, now_s: float) -> str:
    minutes = int(max(0.0, now_s - then_s) // 60)
    if minutes < 1:
        return "less than a minute ago"
    if minutes < 2:
        return "a minute ago"
    return f"{minutes} minutes ago" if minutes < 120 else f"{minutes // 60} hours ago"


async def bridge_checks(gateway: Gateway, registry: Registry, public_url: str) -> list[Check]:
    """Compare the bridge's address and services that the gateway has with ours."""
    try:
        bridge = await gateway.bridge_services()
    except GatewayError as failure:
        todo = "check the credentials, KIOSK_GATEWAY_URL and the way to the internet"
        return [Check("bridge", "warning", f"the gateway did not tell the bridge's services: {failure}", todo)]
    ours: set[str] = set()
    after = ""
    while len(ours) < FACILITIES_MAX and (page := await registry.facilities(after, 1000)):
        ours |= {facility.hip_id for facility in page}
        after = page[-1].hip_id
    aliases = await registry.aliases()
    return [*address_checks(bridge, public_url), *service_checks(bridge, ours, aliases)]


def address_checks(bridge: BridgeServices, public_url: str) -> Iterator[Check]:
    """Whether the gateway sends callbacks to us."""
    if bridge.bridge.blocklisted or not bridge.bridge.active:
        yield Check("bridge", "wrong", "the gateway says that the bridge is switched off", "ask ABDM's support")
    theirs, own = urlsplit(bridge.bridge.url), urlsplit(public_url)
    todo = f"register {public_url} as the bridge's address (docs/abdm-sandbox.md, step 3)"
    if theirs.path.rstrip("/").endswith("/api/v3"):
        sentence = f"the bridge's address {bridge.bridge.url} ends in /api/v3, which the gateway adds itself"
        yield Check("bridge", "wrong", sentence, todo)
    elif (theirs.scheme, theirs.netloc) != (own.scheme, own.netloc):
        yield Check(
            "bridge", "wrong", f"callbacks go to {bridge.bridge.url or 'no address'}, not to {public_url}", todo
        )
    elif own.path and theirs.path.rstrip("/") != own.path:
        sentence = f"callbacks go to {bridge.bridge.url}, and people open {public_url}: the paths differ"
        yield Check("bridge", "warning", sentence, todo)
    else:
        yield Check("bridge", "ok", f"callbacks go to {bridge.bridge.url}")


def service_checks(bridge: BridgeServices, ours: set[str], aliases: dict[str, str]) -> Iterator[Check]:
    """Whether the bridge has the ids of our facilities. For a wrong id the app gets a 202, but no share reaches us."""
    routed = {service.id for service in bridge.services if "HIP" in service.types and service.active}
    reached = {aliases.get(service, service) for service in routed}
    if strangers := sorted(service for service in routed if aliases.get(service, service) not in ours):
        sentence = f"services of the bridge without a facility here: {_listed(strangers)}"
        yield Check("services", "warning", sentence, "kiosk facility add ID, or kiosk facility alias HIP_ID ID")
    if silent := sorted(ours - reached):
        sentence = f"facilities here that are no active HIP service of the bridge: {_listed(silent)}"
        yield Check("services", "wrong", sentence, "no share reaches them: take the id from the bridge's services")
    if not strangers and not silent:
        yield Check("services", "ok", f"{len(routed)} HIP services of the bridge, all registered here")


def _listed(ids: list[str]) -> str:
    more = len(ids) - SHOWN_MAX
    return ", ".join(ids[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
