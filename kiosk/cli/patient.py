"""``kiosk patient``: what one person may ask of a hospital: to see what is kept of them, and to have it erased."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from kiosk.checkin import CheckIn
from kiosk.cli.check_in import check_in_on
from kiosk.cli.running import COMMAND_LINE, CommandFailed, as_json, json_text, settings_now, tell, with_store
from kiosk.locales import BOOK
from kiosk.patient.consent import CONSENT_VERSION, Consent
from kiosk.patient.envelope import Envelope
from kiosk.patient.person import person_named
from kiosk.security.encryption import SealBroken
from kiosk.settings import Settings
from queueing.audit import Audit
from queueing.desk import OpdDesk
from queueing.models import Assurance, Ticket
from queueing.person_records import PersonRecord, PersonRecords
from queueing.reasons import word_of
from queueing.registry import Registry
from queueing.store.store import Store

Ask = Callable[[PersonRecords, list[bytes]], Awaitable[list[PersonRecord]]]

_abha = click.option("--abha", default="", help="ABHA number or ABHA address.")
_token = click.option("--token", default="", help="Token number of a kept day, as printed: M-042.")


@click.group()
def patient() -> None:
    """What one person may ask: to see what is kept, and to have it erased."""


@patient.command()
@click.argument("hip_id")
@_abha
@_token
def export(hip_id: str, abha: str, token: str) -> None:
    """Print everything that facility HIP_ID keeps of one person, as JSON. Hand it to that person alone.

    The audit has a line of each profile that is printed.
    """
    _one_of(abha, token)

    async def find(records: PersonRecords, digests: list[bytes]) -> list[PersonRecord]:
        return await records.find(hip_id, digests, token=token)

    lines = _ask(settings_now(), hip_id, abha, find, why="patient export")
    if not lines:
        raise CommandFailed("nothing is kept of this person here")
    click.echo(json_text(lines))


@patient.command()
@click.argument("hip_id")
@_abha
@_token
@as_json
def erase(hip_id: str, abha: str, token: str, json: bool) -> None:
    """Erase what facility HIP_ID keeps of one person. The numbers stay in the queue, without a name.

    Copies in a backup stay sealed, and cannot be opened once the key of their day is destroyed (KIOSK_RETENTION_H).
    """
    _one_of(abha, token)

    async def take_away(records: PersonRecords, digests: list[bytes]) -> list[PersonRecord]:
        return await records.erase(hip_id, digests, token=token, by=COMMAND_LINE)

    erased = [line["ticket"]["token"] for line in _ask(settings_now(), hip_id, abha, take_away)]
    if not erased:
        raise CommandFailed("nothing is kept of this person here")
    tell(json, {"facility": hip_id, "tickets": erased}, f"erased: {', '.join(erased)}")


def _one_of(abha: str, token: str) -> None:
    if bool(abha.strip()) == bool(token.strip()):
        raise CommandFailed("say --abha or --token, one of both")


def _ask(settings: Settings, hip_id: str, abha: str, act: Ask, *, why: str = "") -> list[dict[str, Any]]:
    """One line of JSON for each ticket. ``why``: the profiles are read for this, and each reading is recorded first."""

    async def work(store: Store) -> list[dict[str, Any]]:
        if await Registry(store).facility(hip_id) is None:
            raise CommandFailed(f"no facility {hip_id}")
        check_in, _ = await check_in_on(store, settings, OpdDesk(store))
        digests = list(check_in.known_as(hip_id, person_named(abha))) if abha else []
        found = await act(PersonRecords(store), digests)
        for record in found:
            if why and record.envelope:
                await Audit(store).record(hip_id, "profile_read", by=COMMAND_LINE, ticket=record.ticket.id, why=why)
        return [_line(check_in, hip_id, record) for record in found]

    return with_store(settings, work)


def _line(check_in: CheckIn, hip_id: str, record: PersonRecord) -> dict[str, Any]:
    ticket, profile, consent = record.ticket, None, None
    if record.envelope:
        with suppress(SealBroken):  # its day's key was destroyed: nobody can read it any more
            envelope = check_in.open_envelope(hip_id, ticket, record.envelope)
            profile, consent = msgspec.to_builtins(check_in.patient_in(envelope)), _consent(envelope, ticket)
    facts = {
        "id": ticket.id,
        "token": ticket.token,
        "queue": ticket.queue,
        "state": ticket.state.name.lower(),
        "lane": ticket.lane.word,
        "reason": word_of(ticket.reason),
        "counter": ticket.counter,
        "arrived_at": _at(ticket.arrived_ms),
        "called_at": _at(ticket.called_ms),
        "ended_at": _at(ticket.ended_ms),
    }
    return {"ticket": facts, "profile": profile, "consent": consent}


def _consent(envelope: Envelope, ticket: Ticket) -> dict[str, Any] | None:
    """To what the person agreed, where, and when; None for somebody whom staff registered."""
    if agreed := envelope.consent:
        return {
            "given_in": "the form", "text": consent_text(agreed), "version": agreed.version,
            "language": agreed.language, "at": _at(agreed.at_s * 1000),
        }  # fmt: skip
    if ticket.assurance in {Assurance.STAFF, Assurance.CAMERA}:
        return None
    return {"given_in": "the person's ABHA app, by sharing the profile (PROFILE_SHARE)", "at": _at(ticket.arrived_ms)}


def consent_text(consent: Consent) -> str:
    """The sentence that was shown; empty when it was one of an earlier version."""
    messages = BOOK.get(consent.language)
    return messages.say("form.consent") if messages and consent.version == CONSENT_VERSION else ""


def _at(ms: int) -> str | None:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else None
