"""Sends events to HL7 receivers over MLLP."""

import ssl

from kiosk.delivery import mllp
from kiosk.delivery.message import TRY_S, Attempt, Message, Result, first_line
from kiosk.exchange.addresses import AddressRefused, Resolver
from kiosk.exchange.hl7 import control_id
from kiosk.exchange.target_setup import TargetWrong, parse_host_port
from queueing.targets import Target


class Hl7Sender:
    """Sends to any number of receivers; one connection for each message."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._tls = ssl.create_default_context()

    async def send(self, target: Target, message: Message) -> Attempt:
        try:
            place = parse_host_port(target.address, tls=target.tls)
            address = await self._resolver.address_of(place)
        except (TargetWrong, AddressRefused) as refused:
            return Attempt(result=Result.FAILED, status="refused", answer=str(refused))
        answer = await mllp.send(
            address, place.port, message.body, control_id(message.event_id), tls=self._tls if target.tls else None,
            tls_name=place.host, within_s=TRY_S,
        )  # fmt: skip
        result = Result.DELIVERED if answer.verdict is mllp.Verdict.ACCEPTED else Result.FAILED
        note = first_line(answer.note.encode(), message.private)
        return Attempt(result=result, status=answer.verdict.value, answer=note)
