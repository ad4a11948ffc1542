"""Tickets as the API shows them: with the hospital system's own numbers, where it sent some."""

from collections.abc import Sequence

from kiosk.api.guards import Caller
from kiosk.exchange.hospital_numbers import NumberSeal, links_json
from kiosk.exchange.ticket_json import LinksJson, TicketJson, ticket_json
from queueing.links import TICKETS_AT_MOST, Links
from queueing.models import Ticket


class ShownTickets:
    """Makes them; one for each worker."""

    def __init__(self, links: Links, number_seal: NumberSeal) -> None:
        self._links, self._number_seal = links, number_seal

    async def one(self, caller: Caller, ticket: Ticket) -> TicketJson:
        return (await self.many(caller, [ticket]))[0]

    async def many(self, caller: Caller, tickets: Sequence[Ticket]) -> list[TicketJson]:
        """In the same order."""
        links = await self.links(caller, tickets)
        return [ticket_json(one, caller.hip, caller.zone, links.get(one.id)) for one in tickets]

    async def links(self, caller: Caller, tickets: Sequence[Ticket]) -> dict[str, LinksJson]:
        """By ticket id, of the tickets that have some."""
        sealed: dict[str, bytes] = {}
        for start in range(0, len(tickets), TICKETS_AT_MOST):
            sealed |= await self._links.of(caller.hip, [one.id for one in tickets[start : start + TICKETS_AT_MOST]])
        opened = ((one.id, self._number_seal.open(caller.hip, one, sealed.get(one.id, b""))) for one in tickets)
        return {ticket_id: links_json(numbers) for ticket_id, numbers in opened if numbers is not None}
