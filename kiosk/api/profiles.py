"""Profiles for programs: the audit records each reading in the step that gives the sealed profile out."""

import logging
from typing import Final

from kiosk.api.guards import Caller
from kiosk.checkin import CheckIn
from kiosk.exchange.profile_json import ProfileJson, profile_json
from kiosk.security.encryption import SealBroken
from queueing.audit import Audit
from queueing.models import Ticket

NO_ALARM: Final = 1
"""Each reading counts for itself: to read every patient of the day is a program's work, and its rate is limited."""

_log = logging.getLogger(__name__)


class Profiles:
    """Opens profiles for callers whose scope was checked."""

    def __init__(self, audit: Audit, check_in: CheckIn) -> None:
        self._audit, self._check_in = audit, check_in

    async def read(self, caller: Caller, ticket: Ticket) -> ProfileJson | None:
        """The profile of a ticket; None when nothing is kept of its person."""
        found = await self._audit.envelopes(
            caller.hip, [ticket], caller.new_reader(), whole=ticket.id, alarm_over=NO_ALARM
        )
        sealed = found.sealed.get(ticket.id)
        if not sealed:
            return None
        try:
            return profile_json(self._check_in.patient(caller.hip, ticket, sealed))
        except SealBroken:
            _log.warning("a profile could not be opened")
            return None
