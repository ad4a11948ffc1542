"""What most pages of the console look up first: the session's facility, or one of its tickets."""

from litestar.exceptions import NotFoundException

from kiosk.accounts.sessions import Session
from kiosk.console.guards import NoFacilityYet
from kiosk.web.limits import ID_MAX
from queueing.desk import OpdDesk
from queueing.models import Facility, Ticket
from queueing.registry import Hospital, Registry


async def hospital_of(session: Session, registry: Registry) -> Hospital:
    """The session's facility with its queues and counters. Raises NoFacilityYet."""
    hospital = await registry.hospital(session.facility)
    if hospital is None:
        raise NoFacilityYet
    return hospital


async def facility_of(session: Session, registry: Registry) -> Facility:
    """The session's facility. Raises NoFacilityYet."""
    facility = await registry.facility(session.facility)
    if facility is None:
        raise NoFacilityYet
    return facility


async def ticket_of(session: Session, desk: OpdDesk, ticket_id: str) -> Ticket:
    """A ticket of the session's facility. Raises NotFoundException."""
    ticket = await desk.ticket(session.facility, ticket_id[:ID_MAX])
    if ticket is None:
        raise NotFoundException
    return ticket
