"""What an administrator's rules would do to the present day, counted from its tickets. Nothing is stored for it.

A ticket remembers what was proved when it was made. So the rules can be applied again, as functions/enqueue.lua does;
only where the phones were is not stored, so another distance cannot be tried. Refused shares have no ticket.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from kiosk.console.language import tr
from kiosk.console.room_messages import EFFECTS
from queueing.day_counts import DAY_PAGE
from queueing.desk import OpdDesk
from queueing.models import Assurance, Nearness, Ticket
from queueing.policy import Policy, PresenceRule

PAGES_MAX: Final = 20
"""Ten thousand numbers are read at most: the largest hospitals give some five thousand a day."""

APPLIES: Final[dict[str, Callable[[Ticket], bool]]] = {
    "far": lambda one: one.assurance is not Assurance.SCREEN and one.nearness is Nearness.FAR,
    "stale": lambda one: one.assurance is Assurance.STALE and one.nearness is not Nearness.NEAR,
    "unknown": lambda one: one.assurance is Assurance.UNKNOWN,
    "poster": lambda one: one.assurance is Assurance.POSTER and one.nearness is Nearness.UNKNOWN,
}
"""Rule → whether it judges a ticket; ``decide`` in functions/enqueue.lua."""


async def tickets_of_today(desk: OpdDesk, hip: str, zone: str) -> list[Ticket]:
    """The tickets of the present day, without those that were carried over midnight."""
    found: list[Ticket] = []
    for after in range(0, PAGES_MAX * DAY_PAGE, DAY_PAGE):
        page = await desk.day_page(hip, after)
        found += [ticket for ticket in page.tickets if _day_of(ticket, zone) == page.day]
        if after + DAY_PAGE >= page.last:
            break
    return found


def effects(tickets: Sequence[Ticket], policy: Policy, own_rate: float, own_burst: int) -> dict[str, str]:
    """Field of the rules → a sentence: what it would have done to these tickets."""
    if not tickets:
        return {}
    found = {kind: _presence(kind, getattr(policy, kind), tickets) for kind in APPLIES}
    found["near_m"] = tr(EFFECTS["near"])
    scans = sorted(one.arrived_ms for one in tickets if one.assurance is not Assurance.CAMERA)
    found["rate"] = _filled("fullest", len(scans), max(Counter(ms // 1000 for ms in scans).values(), default=0))
    refused = refused_by_limits(scans, policy.rate or own_rate, policy.burst or own_burst)
    found["burst"] = _filled("limits", len(scans), refused)
    if policy.no_show_after_s:
        started = [one for one in tickets if one.started_ms and one.called_ms]
        late = [one for one in started if one.started_ms - one.called_ms > policy.no_show_after_s * 1000]
        found["no_show_after_s"] = _filled("no_show", len(started), len(late))
    return found


def refused_by_limits(scans_ms: Sequence[int], rate: float, burst: int) -> int:
    """How many of these scans, in their order, the bucket would have refused; ``admit`` in functions/enqueue.lua."""
    step, mark, refused = 1000 / rate, 0.0, 0
    for ms in scans_ms:
        moved = max(mark, ms) + step
        if moved - ms <= step * burst:
            mark = moved
        else:
            refused += 1
    return refused


def _presence(kind: str, rule: PresenceRule, tickets: Sequence[Ticket]) -> str:
    count = sum(map(APPLIES[kind], tickets))
    return _filled(rule.name if count else "none", len(tickets), count)


def _filled(sentence: str, total: int, count: int) -> str:
    return tr(EFFECTS[sentence]).format(count=count, total=total)


def _day_of(ticket: Ticket, zone: str) -> str:
    return datetime.fromtimestamp(ticket.arrived_ms / 1000, ZoneInfo(zone)).date().isoformat()
