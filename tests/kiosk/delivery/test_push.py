"""Messages to phones: a real push service opens them, and everything that can go wrong there harms nothing else."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.delivery import phone_alarms
from kiosk.delivery.phone_alarms import Alarm, PhoneAlarms, due_for
from kiosk.delivery.pinned_clients import PinnedClients
from kiosk.delivery.push_encryption import encrypt
from kiosk.delivery.push_sender import USEFUL_S, PushMessage, PushResult, PushSender
from kiosk.exchange.addresses import Resolver
from kiosk.exchange.push_subscription import close_subscription, open_subscription
from kiosk.locales import BOOK
from kiosk.security.encryption import Seal
from queueing.day_keys import DayKeys
from queueing.lanes import Lane
from queueing.models import Assurance, Nearness, State, Ticket
from queueing.person_records import PersonRecords
from queueing.push_phones import Phone, PushPhones
from queueing.store.store import Store
from tests.kiosk.delivery.push_service import PhoneBrowser, PushService, push_service, text
from tests.kiosk.delivery.receiver import Received, receiving
from tests.kiosk.delivery.running import RING, added, role, until
from tests.queueing.a_facility import HIP, arrival, build, open_desk
from tokens.push_keys import PushKeys

pytestmark = pytest.mark.anyio

KEYS = PushKeys(RING, contact="mailto:it@hospital.example")
MESSAGE = PushMessage(plain=b"{}", topic="t", kid=RING.signing.kid)


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as one:
        yield one


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_alarms, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(phone_alarms, "PACE_S", (0.05, 0.1, 0.2))


@asynccontextmanager
async def sending(*services: str, private_allowed: bool = True) -> AsyncIterator[PushSender]:
    resolver, clients = Resolver(private_allowed=private_allowed), PinnedClients()
    yield PushSender(resolver, clients, KEYS.authorization, services or ("127.0.0.1",))
    await clients.close()
    resolver.close()


async def new_seal(store: Store) -> Seal:
    seal = Seal(RING.seal_masters(), RING.seal_master_id, now_s=lambda: int(time.time()), retention_h=24)
    await seal.refresh(DayKeys(store))
    return seal


@asynccontextmanager
async def working(store: Store) -> AsyncIterator[None]:
    """A delivery role that sends to phones."""
    seal = await new_seal(store)
    async with sending() as sender:
        alarms = PhoneAlarms(PushPhones(store), open_desk(store), partial(open_subscription, seal), sender.send)
        async with role(store, alarms=alarms):
            yield


async def agreed(store: Store, ticket: str, browser: PhoneBrowser, *, near: int = 0, language: str = "en") -> None:
    """A phone that agreed on its ticket's page."""
    request = browser.request(KEYS.public, near)
    sealed = close_subscription(await new_seal(store), HIP, ticket, request)
    until_ms = int(time.time() * 1000) + 3_600_000
    kid = KEYS.kid_of(KEYS.public)
    phone = Phone(request.id, until_ms, sealed, near, kid, language, calls=0)
    await PushPhones(store).put(HIP, ticket, phone)


async def arrived(store: Store, count: int) -> list[str]:
    await build(store)
    desk = open_desk(store)
    return [(await desk.enqueue(arrival())).ticket for _ in range(count)]


async def call(store: Store) -> None:
    await open_desk(store).call_next(HIP, "M1", by="asha")


async def phones_of(store: Store, ticket: str) -> list[Phone]:
    return (await PushPhones(store).of(HIP)).get(ticket, [])


async def until_phones(store: Store, ticket: str, condition: Callable[[list[Phone]], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition(await phones_of(store, ticket)):  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.02)


def test_the_encryption_is_that_of_the_example_in_rfc_8291() -> None:
    def raw(line: str) -> bytes:
        return base64.urlsafe_b64decode(line + "=" * (-len(line) % 4))

    browser = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(),
        raw("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
    )
    sender = ec.derive_private_key(int.from_bytes(raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1())
    body = encrypt(
        b"When I grow up, I want to be a watermelon", browser, raw("BTBZMqHH6r4Tts7J_aSIgg"), sender=sender,
        salt=raw("DGv6ra1nlYgDCS1FRnbzlw"),
    )  # fmt: skip
    assert text(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_y"
        "l95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


async def test_a_call_and_its_recall_reach_the_phone_in_its_language(store: Store, service: PushService) -> None:
    [mine] = await arrived(store, 1)
    browser = service.browser()
    await agreed(store, mine, browser, language="ur")
    async with working(store):
        await call(store)
        await until(lambda: len(service.receiver.taken) == 1)
        await open_desk(store).recall(HIP, "M1", by="asha")
        await until(lambda: len(service.receiver.taken) == 2)
    ticket = await open_desk(store).ticket(HIP, mine)
    assert ticket is not None
    sentence = BOOK["ur"].say("push.called")
    shown = {"title": "M-001", "body": sentence, "lang": "ur", "dir": "rtl", "key": ticket.key}
    assert service.messages(browser) == [shown, shown], "the number and no word about a person"
    for received in service.receiver.taken:
        claims = service.check_sender(received, KEYS.public)
        assert claims["sub"] == "mailto:it@hospital.example"
        assert 0 < claims["exp"] - time.time() < 86_400
        assert received.headers["content-encoding"] == "aes128gcm"
        assert int(received.headers["ttl"]) == USEFUL_S


async def test_a_phone_is_warned_once_when_as_few_are_before_it_as_was_chosen(
    store: Store, service: PushService
) -> None:
    *_, mine = await arrived(store, 5)
    browser = service.browser()
    await agreed(store, mine, browser, near=2)
    async with working(store):
        for _ in range(4):
            await call(store)
        await until(lambda: len(service.receiver.taken) == 1)
        await call(store)
        await until(lambda: len(service.receiver.taken) == 2)
    near, called = service.messages(browser)
    assert near["body"] in {BOOK["en"].say("push.near", ahead=ahead) for ahead in (2, 1, 0)}
    assert called["body"] == BOOK["en"].say("push.called")


async def test_a_push_service_that_is_away_is_tried_some_times_and_holds_up_nothing_else(
    store: Store, service: PushService
) -> None:
    [mine] = await arrived(store, 1)
    await agreed(store, mine, service.browser())
    service.receiver.answer = lambda _one: (503, b"")
    with receiving() as hospital_system:
        await added(store, hospital_system.url, events=("ticket.called",))
        async with working(store):
            await call(store)
            await until(lambda: len(hospital_system.taken) == 1)
            await until(lambda: len(service.receiver.received) == 1 + len(phone_alarms.PACE_S))
            await open_desk(store).recall(HIP, "M1", by="asha")
            service.receiver.answer = lambda _one: (201, b"")
            await until(lambda: len(service.receiver.taken) == 1)
            await until_phones(store, mine, lambda phones: [phone.calls for phone in phones] == [2])


async def test_a_phone_that_takes_no_more_is_forgotten(store: Store, service: PushService) -> None:
    first, second = await arrived(store, 2)
    gone, other = service.browser(), service.browser()
    await agreed(store, first, gone)
    await agreed(store, first, other)
    await agreed(store, second, gone)

    def answer(one: Received) -> tuple[int, bytes]:
        return (410, b"") if _opens(gone, one) else (201, b"")

    service.receiver.answer = answer
    async with working(store):
        await call(store)
        await until(lambda: len(service.receiver.received) == 2)
        left = other.request(KEYS.public).id
        await until_phones(store, first, lambda phones: [phone.id for phone in phones] == [left])


def _opens(browser: PhoneBrowser, one: Received) -> bool:
    try:
        browser.opened(one.body)
    except InvalidTag:  # sealed for another browser
        return False
    return True


async def test_a_role_that_comes_later_sends_what_still_helps(store: Store, service: PushService) -> None:
    [mine, *_] = await arrived(store, 2)
    browser = service.browser()
    await agreed(store, mine, browser)
    await call(store)
    async with working(store):
        await until(lambda: len(service.receiver.taken) == 1)
    assert service.messages(browser)[0]["title"] == "M-001"


def test_a_call_of_long_ago_is_not_sent() -> None:
    ticket = Ticket(
        id="1", token="M-001", queue="medicine", state=State.CALLED, lane=Lane.ORDINARY, assurance=Assurance.STAFF,
        nearness=Nearness.NEAR, arrived_ms=1, called_ms=1_000, calls=1,
    )  # fmt: skip
    phone = Phone("p", 0, "", 0, "k", "en", calls=0)
    now = due_for(phone, ticket, 2_000)
    late = due_for(phone, ticket, 1_000 + USEFUL_S * 1000 + 1)
    assert (now and now.alarm, late and late.alarm, late and late.calls) == (Alarm.CALLED, None, 1)


async def test_a_finished_visit_and_an_erased_person_leave_no_phone(store: Store, service: PushService) -> None:
    done, erased = await arrived(store, 2)
    for ticket in (done, erased):
        await agreed(store, ticket, service.browser())
    await PersonRecords(store).erase(HIP, [], token="M-002", by="admin")
    assert await phones_of(store, erased) == []
    async with working(store):
        await call(store)
        await until(lambda: len(service.receiver.taken) == 1)
        await open_desk(store).finish(HIP, done, by="asha")
        await until_phones(store, done, lambda phones: not phones)
    assert await PushPhones(store).of(HIP) == {}


@pytest.mark.parametrize(
    ("status", "result"),
    [(201, PushResult.DELIVERED), (404, PushResult.GONE), (410, PushResult.GONE), (429, PushResult.FAILED),
     (500, PushResult.FAILED), (301, PushResult.REFUSED), (403, PushResult.REFUSED), (413, PushResult.REFUSED)],
)  # fmt: skip
async def test_answers_of_a_push_service(service: PushService, status: int, result: PushResult) -> None:
    service.receiver.answer = lambda _one: (status, b"")
    service.receiver.location = f"{service.url}/elsewhere"
    async with sending() as sender:
        assert await sender.send(service.browser().request(KEYS.public), MESSAGE) is result
    assert len(service.receiver.received) == 1, "no redirect is followed"


async def test_nothing_goes_to_a_service_that_is_not_allowed_or_into_the_private_network(service: PushService) -> None:
    request = service.browser().request(KEYS.public)
    async with sending("fcm.googleapis.com") as sender:
        assert await sender.send(request, MESSAGE) is PushResult.REFUSED
    async with sending(private_allowed=False) as sender:
        assert await sender.send(request, MESSAGE) is PushResult.FAILED
    assert service.receiver.received == []


async def test_a_revoked_key_sends_nothing(service: PushService) -> None:
    async with sending() as sender:
        message = PushMessage(plain=b"{}", topic="t", kid="revoked0")
        assert await sender.send(service.browser().request(KEYS.public), message) is PushResult.GONE
    assert service.receiver.received == []
