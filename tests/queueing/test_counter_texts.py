"""Where a code leads as people are shown it, compared with what the store does with a scan."""

import pytest

from queueing.counter_texts import Means, leads_to, name_in_code
from queueing.models import Counter, Queue
from tests.queueing.a_facility import HIP, arrival
from tests.queueing.one_hospital import Hospital

pytestmark = pytest.mark.anyio
TEXTS = {
    "M1": Means.COUNTER, " m3 ": Means.COUNTER, "R2": Means.COUNTER, "OLD-7": Means.COUNTER, "EYE1": Means.COUNTER,
    "M9": Means.QUEUE, "R": Means.QUEUE, "REGISTRATION": Means.QUEUE, "registration": Means.QUEUE, "E": Means.QUEUE,
    "M": Means.COUNTER, "REGISTRATION2": Means.DEFAULT, "GONE": Means.DEFAULT, "7f9c2ba4-e88f": Means.DEFAULT,
    "": Means.DEFAULT, "X-RAY": Means.DEFAULT, "M1-2": Means.DEFAULT,
}  # fmt: skip


async def test_people_are_shown_the_queue_that_a_scan_gets(hospital: Hospital) -> None:
    await hospital.registry.put_queue(HIP, Queue(id="eye", name="Eye", prefix="E"), 1)
    await hospital.registry.put_queue(HIP, Queue(id="x-ray", name="X-ray", prefix="X"))
    await hospital.registry.put_counter(HIP, Counter(name="EYE1", queues=("eye", "registration")))
    await hospital.registry.put_counter(HIP, Counter(name="M", queues=("registration",)))
    await hospital.registry.map_text(HIP, "old-7", "R2")
    found, printed = await hospital.registry.hospital(HIP), await hospital.registry.texts(HIP)
    assert found
    for text, means in TEXTS.items():
        leads = leads_to(found, printed, text)
        place = await hospital.desk.enqueue(arrival(text=text))
        assert (leads.means, leads.queue and leads.queue.id) == (means, place.queue), text
    for proved in ("M3", "R1", "Z9"):
        leads = leads_to(found, printed, "", proved=proved)
        place = await hospital.desk.enqueue(arrival(text="", counter=proved))
        assert leads.queue
        assert leads.queue.id == place.queue, proved


async def test_a_queues_poster_never_names_something_else(hospital: Hospital) -> None:
    await hospital.registry.put_counter(HIP, Counter(name="M", queues=("registration",)))
    await hospital.registry.map_text(HIP, "r", "M1")
    found, printed = await hospital.registry.hospital(HIP), await hospital.registry.texts(HIP)
    assert found
    assert [name_in_code(found, printed, queue) for queue in found.queues] == ["MEDICINE", "REGISTRATION"]
    for queue in found.queues:
        place = await hospital.desk.enqueue(arrival(text=name_in_code(found, printed, queue)))
        assert place.queue == queue.id
    await hospital.registry.map_text(HIP, "medicine", "R1")
    printed = await hospital.registry.texts(HIP)
    assert name_in_code(found, printed, found.queues[0]) == ""
