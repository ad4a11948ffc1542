"""What happens in a hospital whose day is archived."""

from typing import Any

from kiosk.patient.person import Patient
from queueing.desk import OpdDesk
from queueing.outbox import Outbox
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival

OTHER = "IN0110000456"


async def visit(desk: OpdDesk, person: str = "") -> str:
    """Somebody comes, is called and done."""
    place = await desk.enqueue(arrival(person))
    await desk.call_this(HIP, "M1", place.ticket, by="anna")
    await desk.start(HIP, place.ticket, by="anna")
    await desk.finish(HIP, place.ticket, by="anna")
    return place.ticket


async def deliver_all(store: Store) -> int:
    outbox = Outbox(store, "relay-1")
    count = 0
    while taken := await outbox.take(wait_ms=1):
        await outbox.delivered(taken)
        count += len(taken)
    await outbox.close()
    return count


def patient(number: int, **changed: Any) -> Patient:
    return Patient(**({"abha_number": f"{number:014d}", "name": f"Patient {number}"} | changed))
