"""What clerks tell each other and the hall beside the moves of tickets: breaks of a counter, notes on tickets."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import desk_messages, guards
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import ticket_of
from kiosk.console.notes import NoteSeal, cleaned
from kiosk.security.encryption import Seal
from kiosk.settings import Settings
from kiosk.web.limits import ID_MAX
from kiosk.web.page_bodies import read_json
from kiosk.web.security_headers import PAGE
from queueing.audit import Act
from queueing.desk import OpdDesk
from queueing.desks import Desks
from queueing.registry import Registry

BREAK_MAX_MIN = 240
"""A longer absence is no break: the counter is closed then."""


class BreakRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Minutes, or a time of the hospital's clock; neither ends the break."""

    counter: str
    minutes: int = 0
    at: str = ""


class ColleagueAnswer(Struct, frozen=True, kw_only=True):
    """What became of it, in one sentence."""

    outcome: str
    words: str


class NoteRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note on a ticket; an empty one removes it."""

    counter: str = ""
    ticket: str
    note: str


_NOTE = msgspec.json.Decoder(NoteRequest)
_BREAK = msgspec.json.Decoder(BreakRequest)


class Colleagues(Controller):
    path = "/console"

    @post("/desk/break", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def take_break(
        self, request: ConsoleRequest, session: NamedDependency[Session], desks: NamedDependency[Desks],
        registry: NamedDependency[Registry], settings: NamedDependency[Settings],
    ) -> Response[ColleagueAnswer]:  # fmt: skip
        """Say when a counter is served again, or that it is now."""
        body = await read_json(request, _BREAK)
        hospital = await registry.recent_hospital(session.facility)
        if hospital is None or len(body.counter) > ID_MAX:
            raise NotFoundException
        now = datetime.now(ZoneInfo(hospital.zone(settings.timezone)))
        is_ended = not body.minutes and not body.at
        back = None if is_ended else back_at(now, body)
        if back is None and not is_ended:
            return _answer("REFUSED", desk_messages.BREAK_ODD, most=BREAK_MAX_MIN)
        time = back.strftime("%H:%M") if back else ""
        act = Act(
            kind="break_begun" if back else "break_ended", by=session.login, address=guards.address_of(request),
            why=f"{body.counter} {time}".strip(),
        )  # fmt: skip
        back_ms = int(back.timestamp()) * 1000 if back else 0
        if not await desks.set_break(session.facility, body.counter, back_ms, act):
            return _answer("NOT_ALLOWED", desk_messages.BREAK_NONE, counter=body.counter)
        sentence = desk_messages.BREAK_BEGUN if back else desk_messages.BREAK_ENDED
        return _answer("MOVED", sentence, counter=body.counter, time=time)

    @post("/desk/note", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def write_note(
        self, request: ConsoleRequest, session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        desks: NamedDependency[Desks], seal: NamedDependency[Seal],
    ) -> Response[ColleagueAnswer]:  # fmt: skip
        """Write a note for whoever serves this ticket next. A POST, so that no ticket id stands in an address."""
        body = await read_json(request, _NOTE)
        ticket = await ticket_of(session, desk, body.ticket)
        note = cleaned(body.note)
        sealed = NoteSeal(seal).close(session.facility, ticket, note) if note else b""
        kind = "note_written" if note else "note_removed"
        act = Act(kind=kind, by=session.login, address=guards.address_of(request))
        await desks.put_note(session.facility, ticket.id, sealed, act)
        sentence = desk_messages.NOTE_WRITTEN if note else desk_messages.NOTE_REMOVED
        return _answer("MOVED", sentence, token=ticket.token)


def back_at(now: datetime, body: BreakRequest) -> datetime | None:
    """The full minute at which the break ends, as the hall shows it; None for what cannot be meant."""
    if body.at:
        try:
            wanted = datetime.strptime(body.at, "%H:%M")
        except ValueError:
            return None
        back = now.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
        back += timedelta(days=1) if back <= now else timedelta()
    else:
        if not 1 <= body.minutes <= BREAK_MAX_MIN:
            return None
        back = (now + timedelta(minutes=body.minutes, seconds=59)).replace(second=0, microsecond=0)
    return back if back - now <= timedelta(minutes=BREAK_MAX_MIN + 1) else None


def _answer(outcome: str, sentence: str, **values: object) -> Response[ColleagueAnswer]:
    return Response(ColleagueAnswer(outcome=outcome, words=tr(sentence).format(**values)), headers=PAGE)
