"""Random moves by random staff on the real functions and on a queue in plain Python. After each step both are equal."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from queueing.desk import OpdDesk
from queueing.lanes import Lane
from queueing.models import Moved, Outcome, State
from queueing.store.store import Store, open_store
from tests.queueing.a_facility import DAY_MS, HIP, MovedMidnight, arrival, build, kolkata, open_desk

QUEUES = {"medicine": "M", "registration": "R"}
COUNTERS = {"M1": "medicine", "M2": "medicine", "R1": "registration"}
STAFF = ("anna", "bilal")
AT_COUNTER = (State.CALLED, State.SERVING)
LIVING = frozenset(State(number) for number in range(1, 7))
HEAD_START_MIN = {
    Lane.ORDINARY: 0, Lane.SENIOR: 20, Lane.PREGNANT: 30, Lane.DISABLED: 30, Lane.EMERGENCY: 7 * 24 * 60,
    Lane.PRIORITY: 20,
}  # fmt: skip
T = TypeVar("T")


@dataclass
class Person:
    ticket: str
    token: str
    queue: str
    state: State
    lane: Lane
    order: float
    """Larger is later; a minute is a minute, the order of arrival is a fraction of one."""
    counter: str = ""
    calls: int = 0
    touched: int = 0


@dataclass
class Model:
    """A queue in plain Python, written for clarity and not for speed."""

    patients: dict[str, Person] = field(default_factory=dict)
    by_name: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    there: dict[str, str] = field(default_factory=dict)
    undo: dict[str, list[tuple[dict[str, Person], dict[str, str]]]] = field(default_factory=dict)
    arrivals: int = 0

    def waiting(self, queue: str) -> list[Person]:
        found = (p for p in self.patients.values() if p.queue == queue and p.state is State.WAITING)
        return sorted(found, key=lambda person: person.order)

    def now(self) -> float:
        self.arrivals += 1
        return self.arrivals * 1e-6

    def remember(self, by: str, *tickets: str) -> None:
        before = {ticket: Person(**vars(self.patients[ticket])) for ticket in tickets}
        self.undo.setdefault(by, []).insert(0, (before, dict(self.there)))
        del self.undo[by][5:]
        for ticket in tickets:
            self.patients[ticket].touched += 1

    def leave(self, person: Person) -> None:
        if self.there.get(person.counter) == person.ticket:
            del self.there[person.counter]


class QueueMachine(RuleBasedStateMachine):
    """Makes the same moves with the real functions and with the model."""

    loop: asyncio.AbstractEventLoop
    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.clock: MovedMidnight = kolkata()
        self.desk: OpdDesk = open_desk(self.store, self.clock)
        self.touched_after: dict[str, list[dict[str, int]]] = {}

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(step)

    @initialize()
    def begin(self) -> None:
        self.run(self.store.each_primary("FLUSHALL"))
        self.run(build(self.store))
        # Noon, so that no test meets the real midnight.
        now, offset, *_ = self.clock.values()
        self.clock.moved_ms = DAY_MS // 2 - (now + offset) % DAY_MS

    def some_ticket(self, data: st.DataObject) -> str | None:
        return data.draw(st.sampled_from(sorted(self.model.patients))) if self.model.patients else None

    @rule(
        name=st.sampled_from("abcdefgh"), counter=st.sampled_from([*COUNTERS, "elsewhere"]), lane=st.sampled_from(Lane)
    )
    def scan(self, name: str, counter: str, lane: Lane) -> None:
        queue = COUNTERS.get(counter, "medicine")
        place = self.run(self.desk.enqueue(arrival(person=name, text=counter, lane=lane)))
        model = self.model
        known = [
            model.patients[ticket]
            for ticket in model.by_name.get(name, ())
            if model.patients[ticket].state in LIVING and model.patients[ticket].queue == queue
        ]
        if known:
            person = known[0]
            assert (place.outcome, place.token) == (Outcome.SAME_PERSON, person.token)
            if counter != "elsewhere":
                self.welcome(person)
        else:
            number = model.numbers[queue] = model.numbers.get(queue, 0) + 1
            assert (place.outcome, place.token) == (Outcome.NEW, f"{QUEUES[queue]}-{number:03d}")
            state = State.EXPECTED if counter == "elsewhere" else State.WAITING
            order = model.now() - HEAD_START_MIN[lane]
            model.patients[place.ticket] = Person(place.ticket, place.token, queue, state, lane, order)
            model.by_name.setdefault(name, []).append(place.ticket)
        assert place.state is model.patients[place.ticket].state

    def welcome(self, person: Person) -> None:
        if person.state is State.EXPECTED:
            person.order = self.model.now() - HEAD_START_MIN[person.lane]
        elif person.state is State.NO_SHOW:
            person.order = self.near_the_front(person)
        else:
            return
        person.state = State.WAITING
        person.touched += 1

    def near_the_front(self, person: Person) -> float:
        line = self.model.waiting(person.queue)
        if len(line) < 2:
            return person.order
        place = (line[1].order + line[2].order) / 2 if len(line) > 2 else line[1].order + 1e-9
        return max(person.order, place)

    def check(self, moved: Moved, person: Person | None) -> None:
        if person is None:
            assert moved.ticket is None
            return
        assert moved.ticket
        ticket = moved.ticket
        assert (ticket.id, ticket.token, ticket.queue, ticket.state) == (
            person.ticket,
            person.token,
            person.queue,
            person.state,
        )
        assert (ticket.lane, ticket.counter, ticket.calls) == (person.lane, person.counter, person.calls)

    def finish_current(self, counter: str) -> list[str]:
        ticket = self.model.there.get(counter)
        return [ticket] if ticket else []

    def call(self, counter: str, by: str, person: Person | None) -> None:
        finished = self.finish_current(counter)
        tickets = [*finished, *([person.ticket] if person else [])]
        if tickets:
            self.model.remember(by, *tickets)
            self.note_touched(by, tickets)
        for ticket in finished:
            self.model.patients[ticket].state = State.DONE
            del self.model.there[counter]
        if person:
            person.state, person.counter, person.calls = State.CALLED, counter, person.calls + 1
            self.model.there[counter] = person.ticket

    def note_touched(self, by: str, tickets: list[str]) -> None:
        after = {ticket: self.model.patients[ticket].touched for ticket in tickets}
        self.touched_after.setdefault(by, []).insert(0, after)
        del self.touched_after[by][5:]

    @rule(counter=st.sampled_from(list(COUNTERS)), by=st.sampled_from(STAFF), looks=st.booleans(), stale=st.booleans())
    def next(self, counter: str, by: str, looks: bool, stale: bool) -> None:
        there = self.model.there.get(counter, "")
        seen = ("wrong" if stale else there) if looks else None
        moved = self.run(self.desk.call_next(HIP, counter, by=by, seen=seen))
        if looks and stale:
            assert moved.outcome is Outcome.TAKEN
            self.check(moved, self.model.patients.get(there))
            return
        line = self.model.waiting(COUNTERS[counter])
        self.call(counter, by, line[0] if line else None)
        assert moved.outcome is (Outcome.MOVED if line else Outcome.EMPTY)
        self.check(moved, line[0] if line else None)

    @rule(data=st.data(), counter=st.sampled_from(list(COUNTERS)), by=st.sampled_from(STAFF))
    def call_this(self, data: st.DataObject, counter: str, by: str) -> None:
        ticket = self.some_ticket(data)
        if ticket is None:
            return
        person = self.model.patients[ticket]
        moved = self.run(self.desk.call_this(HIP, counter, ticket, by=by))
        if person.state in AT_COUNTER:
            assert moved.outcome is Outcome.TAKEN
        elif person.state not in LIVING:
            assert moved.outcome is Outcome.NOT_ALLOWED
        else:
            assert moved.outcome is Outcome.MOVED
            self.call(counter, by, person)
        self.check(moved, person)

    @rule(counter=st.sampled_from(list(COUNTERS)))
    def recall(self, counter: str) -> None:
        moved = self.run(self.desk.recall(HIP, counter, by="anna"))
        person = self.model.patients.get(self.model.there.get(counter, ""))
        if person is None:
            assert moved.outcome is Outcome.EMPTY
        elif person.state is State.SERVING:
            assert moved.outcome is Outcome.NOT_ALLOWED
        else:
            person.calls += 1
            assert moved.outcome is Outcome.MOVED
        self.check(moved, person)

    @rule(
        data=st.data(),
        by=st.sampled_from(STAFF),
        act=st.sampled_from(["check_in", "start", "finish", "hold", "no_show", "bring_back", "cancel"]),
    )
    def move(self, data: st.DataObject, by: str, act: str) -> None:
        ticket = self.some_ticket(data)
        if ticket is None:
            return
        person = self.model.patients[ticket]
        came_from, goes_to = MOVES[act]
        moved = self.run(getattr(self.desk, act)(HIP, ticket, by=by))
        if person.state not in came_from:
            assert moved.outcome is Outcome.NOT_ALLOWED
        else:
            assert moved.outcome is Outcome.MOVED
            self.model.remember(by, ticket)
            self.note_touched(by, [ticket])
            if act == "check_in":
                person.order = self.model.now() - HEAD_START_MIN[person.lane]
            if act == "bring_back" and person.state in (State.NO_SHOW, State.DONE, State.CANCELLED):
                person.order = self.near_the_front(person)
            person.state = goes_to
            if goes_to not in AT_COUNTER:
                self.model.leave(person)
        self.check(moved, person)

    @rule(data=st.data(), by=st.sampled_from(STAFF), to=st.sampled_from(list(QUEUES)))
    def transfer(self, data: st.DataObject, by: str, to: str) -> None:
        ticket = self.some_ticket(data)
        if ticket is None:
            return
        person = self.model.patients[ticket]
        moved = self.run(self.desk.transfer(HIP, ticket, to=to, by=by))
        if person.queue == to or person.state not in LIVING - {State.EXPECTED}:
            assert moved.outcome is Outcome.NOT_ALLOWED
        else:
            assert moved.outcome is Outcome.MOVED
            self.model.remember(by, ticket)
            self.note_touched(by, [ticket])
            self.model.leave(person)
            person.queue, person.state = to, State.WAITING
            person.order = self.model.now() - HEAD_START_MIN[person.lane]
        self.check(moved, person)

    @rule(data=st.data(), by=st.sampled_from(STAFF), lane=st.sampled_from(Lane))
    def set_lane(self, data: st.DataObject, by: str, lane: Lane) -> None:
        ticket = self.some_ticket(data)
        if ticket is None:
            return
        person = self.model.patients[ticket]
        moved = self.run(self.desk.set_lane(HIP, ticket, lane, by=by))
        if person.state not in {State.EXPECTED, State.WAITING, State.HELD, State.NO_SHOW}:
            assert moved.outcome is Outcome.NOT_ALLOWED
        else:
            assert moved.outcome is Outcome.MOVED
            self.model.remember(by, ticket)
            self.note_touched(by, [ticket])
            person.order += HEAD_START_MIN[person.lane] - HEAD_START_MIN[lane]
            person.lane = lane
        self.check(moved, person)

    @precondition(lambda self: self.touched_after)
    @rule(by=st.sampled_from(STAFF))
    def undo(self, by: str) -> None:
        moved = self.run(self.desk.undo(HIP, "M1", by=by))
        if not self.model.undo.get(by):
            assert moved.outcome is Outcome.NOTHING_TO_UNDO
            return
        before, _ = self.model.undo[by][0]
        after = self.touched_after[by][0]
        free = all(self.model.patients[ticket].touched == mark for ticket, mark in after.items()) and all(
            self.model.there.get(person.counter, ticket) in before
            for ticket, person in before.items()
            if person.state in AT_COUNTER
        )
        if not free:
            assert moved.outcome is Outcome.TAKEN
            return
        assert moved.outcome is Outcome.MOVED
        self.model.undo[by].pop(0)
        self.touched_after[by].pop(0)
        for ticket in before:
            self.model.leave(self.model.patients[ticket])
        for ticket, person in before.items():
            was, person.touched = person.touched, self.model.patients[ticket].touched + 1
            for earlier in self.touched_after[by]:
                if earlier.get(ticket) == was:
                    earlier[ticket] = person.touched
            self.model.patients[ticket] = person
            if person.state in AT_COUNTER:
                self.model.there[person.counter] = ticket

    @invariant()
    def both_say_the_same(self) -> None:
        snapshot = self.run(self.desk.snapshot(HIP))
        if snapshot is None:
            return
        for view in snapshot.queues:
            line = self.model.waiting(view.id)
            assert view.next == tuple(person.token for person in line)
            assert view.waiting == len(line)
            assert view.issued == self.model.numbers.get(view.id, 0)
            there = {(c.token, c.counter, c.calls, c.state) for c in view.now}
            expected = {
                (p.token, p.counter, p.calls, p.state)
                for p in self.model.patients.values()
                if p.queue == view.id and p.state in AT_COUNTER
            }
            assert there == expected
        tickets = {ticket.id: ticket.state for ticket in self.run(self.desk.tickets(HIP))}
        assert tickets == {p.ticket: p.state for p in self.model.patients.values() if p.state in LIVING}


MOVES: dict[str, tuple[frozenset[State], State]] = {
    "check_in": (frozenset({State.EXPECTED}), State.WAITING),
    "start": (frozenset({State.CALLED}), State.SERVING),
    "finish": (frozenset(AT_COUNTER), State.DONE),
    "hold": (frozenset({State.WAITING, *AT_COUNTER}), State.HELD),
    "no_show": (frozenset({State.CALLED}), State.NO_SHOW),
    "bring_back": (frozenset({State.HELD, State.NO_SHOW, State.DONE, State.CANCELLED}), State.WAITING),
    "cancel": (LIVING, State.CANCELLED),
}


@pytest.mark.slow
def test_the_functions_and_a_plain_queue_never_differ(valkey_url: str) -> None:
    loop = asyncio.new_event_loop()
    try:
        QueueMachine.loop = loop
        QueueMachine.store = loop.run_until_complete(open_store(valkey_url))
        run_state_machine_as_test(
            QueueMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
        loop.run_until_complete(QueueMachine.store.close())
    finally:
        loop.close()
