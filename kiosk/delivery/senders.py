"""The sender of each kind of target. A new kind gets its line here."""

from collections.abc import Callable
from typing import assert_never

from kiosk.delivery.hl7_sender import Hl7Sender
from kiosk.delivery.message import Sender
from kiosk.delivery.webhook import WebhookSender
from kiosk.exchange.addresses import Resolver
from queueing.targets import Target, TargetKind


class Senders:
    """One of each kind. ``open_secret`` opens a target's sealed secret; None when it cannot."""

    def __init__(self, resolver: Resolver, open_secret: Callable[[Target], str | None]) -> None:
        self._webhooks = WebhookSender(resolver, open_secret)
        self._hl7 = Hl7Sender(resolver)

    def of(self, kind: TargetKind) -> Sender:
        """The sender of messages to targets of this kind."""
        match kind:
            case TargetKind.WEBHOOK:
                return self._webhooks
            case TargetKind.HL7:
                return self._hl7
            case _:
                assert_never(kind)

    async def close(self) -> None:
        """End their connections."""
        await self._webhooks.close()
