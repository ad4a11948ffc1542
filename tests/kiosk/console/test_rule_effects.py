"""What rules would do to the present day is what the queue itself does with them."""

import pytest

from kiosk.console.rule_effects import effects, refused_by_limits, tickets_of_today
from kiosk.services.web import Services
from queueing.lanes import Lane
from queueing.models import Assurance, Nearness, State, Ticket
from queueing.policy import Policy, PresenceRule
from tests.kiosk.console.signed_in import HIP, Browser, arrive

pytestmark = pytest.mark.anyio
RULES = {"far": "TAKE", "stale": "EXPECT", "unknown": "EXPECT", "poster": "TAKE", "near_m": "1000"}
AWAY, BESIDE = (34.9, 74.9), (34.2, 74.3)


async def four_arrive(services: Services, name: str) -> list[State]:
    """By the poster: without a place, far away, near; and by a code that names no counter."""
    places = [
        await arrive(services.check_in, f"{name} one"),
        await arrive(services.check_in, f"{name} two", position=AWAY),
        await arrive(services.check_in, f"{name} three", position=BESIDE),
        await arrive(services.check_in, f"{name} four", context="OLD SYSTEM 9"),
    ]
    return [place.state for place in places]


async def test_the_page_counts_whom_each_rule_judges_and_a_look_saves_nothing(
    admin: Browser, services: Services
) -> None:
    before = await services.registry.facility(HIP)
    assert before is not None
    await four_arrive(services, "Before")
    page = (await admin.get("/console/admin/rooms/rules")).text
    assert "Today the facility gave <bdi>4</bdi> numbers" in page
    assert "With this rule 1 of today&#39;s 4 would have waited for check-in." in page
    assert "None of today&#39;s 4 numbers came like this." in page, "no screen was scanned"
    looked = (await admin.send_form("/console/admin/policy", **RULES | {"poster": "REFUSE"}, burst="1", look="1")).text
    assert "With this rule 1 of today&#39;s 4 would have been refused." in looked
    assert "Nothing is saved yet" in looked
    assert await services.registry.facility(HIP) == before


@pytest.mark.parametrize("rule", list(PresenceRule))
async def test_the_count_for_a_rule_is_how_many_it_then_stops(services: Services, rule: PresenceRule) -> None:
    await services.registry.set_policy(HIP, Policy(far=PresenceRule.TAKE, unknown=PresenceRule.TAKE))
    assert set(await four_arrive(services, "Before")) == {State.WAITING}
    policy = Policy(far=rule, unknown=rule, poster=rule)
    found = effects(await tickets_of_today(services.desk, HIP, "Asia/Kolkata"), policy, 20, 200)
    await services.registry.set_policy(HIP, policy)
    after = [
        await arrive(services.check_in, f"After {number}", position=position, context=context)
        for number, (position, context) in enumerate(
            ((None, "M1"), (AWAY, "M1"), (BESIDE, "M1"), (None, "OLD SYSTEM 9"))
        )
    ]
    stopped = sum(one.state is State.EXPECTED or one.refusal is not None for one in after)
    stops = sum(" 1 of today's 4 would" in found[kind] for kind in ("far", "unknown", "poster"))
    assert stops == stopped == (0 if rule is PresenceRule.TAKE else 3)


def test_limits_and_late_comers_are_counted() -> None:
    assert refused_by_limits([0, 0, 0, 10_000], rate=1, burst=2) == 1
    late = [_ticket(number, called=1_000, started=1_000 + number * 60_000) for number in (1, 2, 5)]
    found = effects(late, Policy(no_show_after_s=180), 20, 200)
    assert found["no_show_after_s"] == "1 of today's 3 served people came to the counter later than this."
    assert effects([], Policy(), 20, 200) == {}


def _ticket(number: int, *, called: int, started: int) -> Ticket:
    return Ticket(
        id=f"20000-{number}", token=f"M-{number:03}", queue="medicine", state=State.DONE, lane=Lane.ORDINARY,
        assurance=Assurance.SCREEN, nearness=Nearness.UNKNOWN, arrived_ms=number, called_ms=called, started_ms=started,
    )  # fmt: skip
