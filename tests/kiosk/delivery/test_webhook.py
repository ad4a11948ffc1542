"""One try at a webhook: signed so that the library's own verifier takes it, to a checked address, and bounded."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from kiosk.delivery import webhook
from kiosk.delivery.message import TRY_S, Message, Result, first_line, private_words
from kiosk.delivery.webhook import Signer, WebhookSender
from kiosk.exchange.addresses import Resolver
from kiosk.exchange.profile_json import AddressJson, ProfileJson
from kiosk.exchange.target_setup import new_secret
from queueing.targets import Target, TargetKind
from tests.kiosk.delivery.receiver import Received, Receiver, receiving
from tests.ports import free_port

pytestmark = pytest.mark.anyio
SECRET = new_secret()
BODY = '{"id":"f-1-0","name":"मीना"}'.encode()
MESSAGE = Message(event_id="f-1-0", event_type="ticket.called", cursor="1-0", body=BODY)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    resolver = Resolver(private_allowed=True)
    one = WebhookSender(resolver, lambda _target: SECRET)
    yield one
    await one.close()
    resolver.close()


def target(url: str) -> Target:
    return Target(id="wh-1", kind=TargetKind.WEBHOOK, facility="IN1", address=url)


async def test_what_is_sent_passes_the_verifier_of_the_library(receiver: Receiver, sender: WebhookSender) -> None:
    attempt = await sender.send(target(receiver.url), MESSAGE)
    assert (attempt.result, attempt.status, attempt.answer) == (Result.DELIVERED, "200", "taken")
    receiver.verify_all(SECRET)
    (one,) = receiver.received
    assert (one.body, one.id, one.headers["x-kiosk-event"]) == (BODY, "f-1-0", "ticket.called")
    digest = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert one.headers["x-hub-signature-256"] == f"sha256={digest}"


def test_a_changed_body_another_secret_and_an_old_signature_are_refused() -> None:
    now = datetime.now(UTC)
    headers = Signer(SECRET).headers("f-1-0", BODY, now)
    Webhook(SECRET).verify(BODY, headers, json_parse=False)
    old = Signer(SECRET).headers("f-1-0", BODY, now - timedelta(minutes=5, seconds=2))
    for secret, body, tried in ((SECRET, BODY + b" ", headers), (new_secret(), BODY, headers), (SECRET, BODY, old)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, tried, json_parse=False)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_a_yes(receiver: Receiver, sender: WebhookSender, status: int) -> None:
    receiver.answer = lambda _one: (status, b"")
    assert (await sender.send(target(receiver.url), MESSAGE)).result is Result.DELIVERED


@pytest.mark.parametrize("status", [300, 400, 401, 404, 429, 500, 503])
async def test_every_other_status_is_tried_again(receiver: Receiver, sender: WebhookSender, status: int) -> None:
    receiver.answer = lambda _one: (status, b"not now\nsecond line")
    attempt = await sender.send(target(receiver.url), MESSAGE)
    assert (attempt.result, attempt.status, attempt.answer) == (Result.FAILED, str(status), "not now")


async def test_410_switches_off(receiver: Receiver, sender: WebhookSender) -> None:
    receiver.answer = lambda _one: (410, b"gone")
    assert (await sender.send(target(receiver.url), MESSAGE)).result is Result.SWITCHED_OFF


async def test_a_redirect_is_not_followed(receiver: Receiver, sender: WebhookSender) -> None:
    with receiving() as other:
        receiver.answer, receiver.location = lambda _one: (307, b""), other.url
        attempt = await sender.send(target(receiver.url), MESSAGE)
    assert (attempt.result, attempt.status, other.received) == (Result.FAILED, "307", [])


async def test_an_endless_answer_is_cut_off(receiver: Receiver, sender: WebhookSender) -> None:
    receiver.drip_s, receiver.answer = 0.001, lambda _one: (200, b"x" * 1000)
    since = time.monotonic()
    attempt = await sender.send(target(receiver.url), MESSAGE)
    assert (attempt.result, attempt.answer) == (Result.DELIVERED, "x" * 120)
    assert time.monotonic() - since < TRY_S, "the answer was read for as long as an attempt may take"


@pytest.mark.slow
async def test_a_dripping_answer_holds_for_two_seconds_at_most(receiver: Receiver, sender: WebhookSender) -> None:
    receiver.drip_s, receiver.answer = 0.2, lambda _one: (500, b"x")
    since = time.monotonic()
    assert (await sender.send(target(receiver.url), MESSAGE)).status == "500"
    assert time.monotonic() - since < TRY_S, "the answer was read for as long as an attempt may take"


async def test_a_receiver_that_does_not_answer_in_time_failed(
    receiver: Receiver, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TRY_S", 0.3)

    def late(_one: Received) -> tuple[int, bytes]:
        time.sleep(1.0)
        return 200, b"late"

    receiver.answer = late
    attempt = await sender.send(target(receiver.url), MESSAGE)
    assert attempt.result is Result.FAILED


async def test_a_receiver_that_is_not_there_failed(sender: WebhookSender) -> None:
    attempt = await sender.send(target(f"http://127.0.0.1:{free_port()}/"), MESSAGE)
    assert (attempt.result, attempt.status) == (Result.FAILED, "unreachable")


async def test_without_the_setting_nothing_reaches_loopback(receiver: Receiver) -> None:
    resolver = Resolver(private_allowed=False)
    sender = WebhookSender(resolver, lambda _target: SECRET)
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
        attempt = await sender.send(target(url), MESSAGE)
        assert (attempt.result, attempt.status) == (Result.FAILED, "refused")
    assert receiver.received == []
    await sender.close()
    resolver.close()


async def test_the_connection_goes_to_the_address_that_was_checked(
    receiver: Receiver, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name resolves nowhere: only the checked address can lead to the receiver."""

    async def checked(_place: object) -> tuple[str, str]:
        return "127.0.0.1", ""

    monkeypatch.setattr(sender._resolver, "_checked", checked)
    url = receiver.url.replace("127.0.0.1", "hmis.invalid")
    attempt = await sender.send(target(url), MESSAGE)
    assert attempt.result is Result.DELIVERED
    assert receiver.received[0].headers["host"].startswith("hmis.invalid:")


async def test_a_secret_of_another_key_ring_sends_nothing(receiver: Receiver) -> None:
    resolver = Resolver(private_allowed=True)
    sender = WebhookSender(resolver, lambda _target: None)
    attempt = await sender.send(target(receiver.url), MESSAGE)
    assert (attempt.status, receiver.received) == ("no secret", [])
    await sender.close()
    resolver.close()


def test_an_answer_that_repeats_the_patient_is_not_kept() -> None:
    profile = ProfileJson(
        name="Meena Kumari", phone="9419012345", abha_number="91123456789012", abha_address="meena@sbx",
        address=AddressJson(line="12 Lal Chowk"),
    )  # fmt: skip
    answer = b"patient MEENA kumari 94190 12345 91-1234-5678-9012 meena@sbx of Lal Chowk exists\r\nsecond"
    line = first_line(answer, private_words(profile, None))
    assert line.startswith("patient ")
    for word in ("meena", "kumari", "9419", "9112", "sbx", "chowk"):
        assert word not in line.lower()


def test_the_first_line_is_short_and_printable() -> None:
    assert first_line(b"\n a\x1b[31m\xff b \n c") == "a [31m\ufffd b"
    assert len(first_line(b"x" * 5000)) == 120
    assert first_line(b"") == ""
