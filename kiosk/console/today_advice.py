"""How many counters to open now, with the reason in one sentence."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from kiosk.archive.today_queries import UsualFacts
from kiosk.console import figure_messages, language
from kiosk.console.counters_needed import WITHIN_MIN, QueueNeed
from kiosk.console.figures import grouped
from kiosk.console.language import Sentences, tr
from queueing.models import Counter

WORDS, ARRIVALS = Sentences(figure_messages.ADVICE), Sentences(figure_messages.ARRIVALS)


class Advice(Struct, frozen=True, kw_only=True):
    """What the page says about the counters."""

    headline: str
    reason: str = ""
    needed: int | None = None
    """None: not known."""


class Moment(Struct, frozen=True, kw_only=True):
    """The facility now."""

    weekday: int
    """0 is Monday."""
    waiting: Mapping[str, int]
    """Queue id -> people who wait."""
    last_hour: Mapping[str, int]
    """Queue id -> people who arrived in the last full hour of today."""
    counters: Sequence[Counter]
    queue_names: Mapping[str, str]


def advise(moment: Moment, usual: UsualFacts) -> Advice:
    """The counters that all queues together need in this hour."""
    if not moment.queue_names:
        return Advice(headline=WORDS["closed"])
    is_usual = bool(usual.arrivals_by_queue)
    arrivals = usual.arrivals_by_queue or moment.last_hour
    needs = [_need(pool, moment, arrivals, usual.service_by_queue) for pool in pools(moment)]
    busy = [need for need in needs if need.arrivals_per_h or need.waiting]
    if not busy:
        return Advice(headline=WORDS["none"], needed=0)
    known = [need for need in busy if need.needed is not None]
    if not known:
        return Advice(headline=WORDS["unknown"])
    needed = sum(need.needed or 0 for need in known)
    return Advice(headline=_headline(needed, known, moment), reason=_reason(known, moment, is_usual), needed=needed)


def pools(moment: Moment) -> list[set[str]]:
    """The queues, those together that share a counter: their counters help each other."""
    found = [{queue} for queue in moment.queue_names]
    for counter in moment.counters:
        shared = [pool for pool in found if pool & set(counter.queues)]
        if len(shared) > 1:
            found = [pool for pool in found if pool not in shared] + [set[str]().union(*shared)]
    return found


def _need(pool: set[str], moment: Moment, arrivals: Mapping[str, float], service: Mapping[str, float]) -> QueueNeed:
    names = [name for queue, name in moment.queue_names.items() if queue in pool]
    patients = {queue: arrivals.get(queue, 0) + moment.waiting.get(queue, 0) for queue in pool}
    measured = {queue: patients[queue] for queue in pool if queue in service and patients[queue]}
    weight = sum(measured.values())
    return QueueNeed(
        queue=", ".join(names),
        arrivals_per_h=sum(arrivals.get(queue, 0) for queue in pool),
        service_min=sum(service[queue] * count for queue, count in measured.items()) / weight if weight else None,
        waiting=sum(moment.waiting.get(queue, 0) for queue in pool),
    )


def _headline(needed: int, known: Sequence[QueueNeed], moment: Moment) -> str:
    opened = len([counter for counter in moment.counters if counter.open])
    sentence = "open" if needed > opened else "enough"
    parts = "; ".join(f"{need.queue}: {need.needed}" for need in known)
    return WORDS[sentence if len(known) == 1 else f"{sentence}_parts"].format(
        needed=_counters(needed), open=_counters(opened), parts=parts
    )


def _reason(known: Sequence[QueueNeed], moment: Moment, is_usual: bool) -> str:
    arrivals = sum(need.arrivals_per_h for need in known)
    count = max(1, round(arrivals)) if arrivals else 0
    when = ("usual" if is_usual else "last_hour") + ("" if count > 1 else "_one" if count else "_none")
    weekday = language.book().weekdays[(moment.weekday + 1) % 7]
    weight = sum(need.arrivals_per_h + need.waiting for need in known)
    service = sum((need.service_min or 0) * (need.arrivals_per_h + need.waiting) for need in known) / weight
    return WORDS["reason"].format(
        arrivals=ARRIVALS[when].format(count=grouped(count), weekday=weekday), service=grouped(service, 1),
        waiting=grouped(sum(need.waiting for need in known)), within=WITHIN_MIN,
    )  # fmt: skip


def _counters(count: int) -> str:
    return tr(figure_messages.COUNTERS.get(count, figure_messages.COUNTERS_MANY)).format(count=count)
