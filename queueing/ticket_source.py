"""Who registered a person: their own ABHA app, the form of a phone, a clerk, or the hospital's system."""

from typing import Final

from queueing.models import Assurance, Ticket
from queueing.redis_keys import HMIS_MARK

_SOURCES: Final = {Assurance.STAFF: "staff", Assurance.CAMERA: "camera"}


def source_of(ticket: Ticket) -> str:
    """``abha_app``, ``camera``, ``staff`` or ``hmis``."""
    return "hmis" if ticket.request.startswith(HMIS_MARK) else _SOURCES.get(ticket.assurance, "abha_app")
