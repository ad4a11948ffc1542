"""The counters of a facility as colleagues see them: who sits there, whom they serve, and since when."""

from collections.abc import Sequence

from msgspec import Struct

from queueing.desks import CounterNow
from queueing.display_text import marked_text
from queueing.registry import Hospital

NAME_SHOWN = 40
"""Characters of a colleague's name in a narrow column."""


class CounterRow(Struct, frozen=True, kw_only=True):
    """One counter."""

    name: str
    open: bool
    clerks: tuple[str, ...]
    token: str
    state: str
    since_ms: int
    """When the ticket there was called."""
    back_ms: int


def counter_rows(counters: Sequence[CounterNow], hospital: Hospital) -> tuple[CounterRow, ...]:
    """Every counter of the facility."""
    return tuple(_row(one, hospital) for one in counters)


def beside(counters: Sequence[CounterNow], counter: str, login: str) -> tuple[str, ...]:
    """The others who have this counter open, by name."""
    here = next((one.seats for one in counters if one.name == counter), ())
    return tuple(dict.fromkeys(marked_text(seat.name, NAME_SHOWN) for seat in here if seat.login != login))


def _row(one: CounterNow, hospital: Hospital) -> CounterRow:
    ticket, configured = one.ticket, hospital.counter(one.name)
    return CounterRow(
        name=one.name, open=configured.open if configured else False, back_ms=one.back_ms,
        clerks=tuple(dict.fromkeys(marked_text(seat.name, NAME_SHOWN) for seat in one.seats)),
        token=ticket.token if ticket else "", state=ticket.state.name.lower() if ticket else "",
        since_ms=ticket.called_ms if ticket else 0,
    )  # fmt: skip
