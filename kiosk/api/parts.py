"""What the API needs of a worker beside the queue itself."""

from msgspec import Struct

from kiosk.api.event_pages import Events
from kiosk.api.key_rates import Rates
from kiosk.api.shown import ShownTickets
from kiosk.api.ticket_lists import TicketLists
from kiosk.archive.database import Database
from kiosk.exchange.hospital_numbers import NumberSeal
from queueing.api_keys import ApiKeys
from queueing.api_rates import ApiRates
from queueing.changes import Changes
from queueing.desk import OpdDesk
from queueing.event_log import EventLog
from queueing.idempotency import Idempotency
from queueing.links import Links
from queueing.store.store import Store


class ApiParts(Struct, frozen=True, kw_only=True):
    """The parts of one worker."""

    keys: ApiKeys
    rates: Rates
    shown_tickets: ShownTickets
    ticket_lists: TicketLists
    events: Events
    idempotency: Idempotency


def api_parts(
    store: Store, desk: OpdDesk, archive: Database, changes: Changes, number_seal: NumberSeal
) -> ApiParts:  # fmt: skip
    """Make them. ``changes``: fed by the worker's one reader of hints."""
    shown = ShownTickets(Links(store), number_seal)
    return ApiParts(
        keys=ApiKeys(store),
        rates=Rates(ApiRates(store)),
        shown_tickets=shown,
        ticket_lists=TicketLists(desk, archive, changes, shown),
        events=Events(EventLog(store), archive, changes, shown),
        idempotency=Idempotency(store),
    )
