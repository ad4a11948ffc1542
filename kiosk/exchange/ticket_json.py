"""A ticket as other programs get it; docs/hmis.md lists its fields."""

from datetime import date, datetime

from msgspec import Struct


class LinksJson(Struct, frozen=True, kw_only=True):
    """The hospital system's own numbers of a ticket."""

    patient_id: str
    """The hospital's number of the patient (UHID)."""
    visit_id: str | None = None
    url: str | None = None
    """Where the hospital's system shows the record."""


class TicketJson(Struct, frozen=True, kw_only=True):
    """One ticket without a word of the person. Times carry the facility's offset."""

    id: str
    token_number: str
    facility: str
    """HIP id."""
    queue: str
    counter: str | None = None
    state: str
    """``expected waiting called serving held no_show done cancelled lapsed``."""
    lane: str
    assurance: str
    nearness: str
    source: str
    """``abha_app camera staff hmis``."""
    service_day: date
    ahead: int | None = None
    """People before it, while it waits."""
    arrived_at: datetime
    called_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    calls: int = 0
    links: LinksJson | None = None
