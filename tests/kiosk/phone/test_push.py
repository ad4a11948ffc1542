"""A phone agrees to messages on its ticket's page: what is taken, what is refused, and that nothing lies open."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from queueing import push_phones
from queueing.models import Place
from queueing.redis_keys import facility_root
from tests.kiosk.delivery.push_service import PhoneBrowser
from tests.kiosk.hospital import HIP, Hospital, application, emptied
from tests.ports import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
async def pushing(valkey_url: str, tmp_path: Path) -> AsyncIterator[Hospital]:
    """A hospital whose operator allows two push services."""
    await emptied(valkey_url)
    port = free_port()
    app = application(valkey_url, tmp_path / "data", port, KIOSK_PUSH_SERVICES="push.example, fcm.googleapis.com")
    async with app.lifespan():
        built = Hospital(app, f"http://127.0.0.1:{port}")
        await built.build()
        yield built


async def send(hospital: Hospital, path: str, body: Any, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=hospital.app)  # type: ignore[arg-type]  # narrower words for the same ASGI
    async with httpx.AsyncClient(transport=transport, base_url=hospital.url) as client:
        sent = {"content-type": "application/json", "origin": hospital.url} | headers
        return await client.post(path, content=msgspec.json.encode(body), headers=sent)


async def agree(hospital: Hospital, place: Place, browser: PhoneBrowser, **changed: Any) -> httpx.Response:
    wish = msgspec.to_builtins(browser.request(hospital.services.signers.push_keys.public, 2)) | changed
    return await send(hospital, f"{hospital.ticket_link(place)}/push?lang=ks", wish)


async def stored(hospital: Hospital) -> dict[str, list[tuple[int, str, int]]]:
    found = await hospital.services.push_phones.of(HIP)
    return {ticket: [(one.near, one.language, one.warned) for one in phones] for ticket, phones in found.items()}


async def test_a_phone_agrees_changes_its_wish_and_takes_it_back(pushing: Hospital) -> None:
    *_, mine = await pushing.arrive(patients=4)
    browser = PhoneBrowser("https://eu.push.example/send")
    assert (await agree(pushing, mine, browser)).status_code == 204
    assert (await agree(pushing, mine, browser, near=5)).status_code == 204
    assert await stored(pushing) == {mine.ticket: [(5, "ks", 1)]}, "three before it: the page shows that already"
    raw: Any = await pushing.services.store.call(key := f"{facility_root(HIP)}:p", "HGETALL", key)
    assert browser.endpoint.encode() not in b"".join(raw)
    assert b"push.example" not in b"".join(raw)
    end = await send(pushing, f"{pushing.ticket_link(mine)}/push/end", {"endpoint": browser.endpoint})
    assert end.status_code == 204
    assert await stored(pushing) == {}


async def test_what_cannot_be_sent_to_is_refused_by_name(pushing: Hospital) -> None:
    [mine] = await pushing.arrive()
    for field, wrong in [
        ("endpoint", "https://elsewhere.example/send"),
        ("endpoint", "https://notpush.example/send"),
        ("endpoint", "http://push.example/send"),
        ("endpoint", "https://push.example@127.0.0.1/send"),
        ("endpoint", "https://169.254.169.254/latest"),
        ("p256dh", "BAAA"),
        ("auth", "AAAA"),
        ("key", "another"),
    ]:
        answer = await agree(pushing, mine, PhoneBrowser("https://push.example/send"), **{field: wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["detail"].startswith(f"{field}: "), wrong
    assert await stored(pushing) == {}


async def test_too_much_a_foreign_site_a_forged_link_and_a_number_that_is_over_are_refused(pushing: Hospital) -> None:
    mine, over = await pushing.arrive(patients=2)
    browser = PhoneBrowser("https://push.example/send")
    assert (await agree(pushing, mine, browser, endpoint=f"https://push.example/{'x' * 600}")).status_code == 400
    assert (await agree(pushing, mine, browser, near=21)).status_code == 400
    assert (await agree(pushing, mine, browser, more="x" * 3000)).status_code == 413
    wish = msgspec.to_builtins(browser.request(pushing.services.signers.push_keys.public))
    link = f"{pushing.ticket_link(mine)}/push"
    foreign = await send(pushing, link, wish, origin="https://evil.example")
    assert foreign.status_code == 403
    assert (await send(pushing, f"{link}/end", wish, origin="https://evil.example")).status_code == 403
    assert (await send(pushing, "/t/forged/push", wish)).status_code == 404
    await pushing.services.desk.cancel(HIP, over.ticket, by="asha")
    assert (await agree(pushing, over, browser)).status_code == 404
    assert await stored(pushing) == {}


async def test_a_hospital_with_too_many_phones_says_so(pushing: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_phones, "FACILITY_MAX", 1)
    first, second = await pushing.arrive(patients=2)
    browser = PhoneBrowser("https://push.example/send")
    assert (await agree(pushing, first, browser)).status_code == 204
    assert (await agree(pushing, second, browser)).status_code == 409


async def test_without_a_push_service_the_page_offers_none_and_nothing_is_taken(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    [mine] = await hospital.arrive()
    page = (await visitor.get(hospital.ticket_link(mine))).text
    assert 'data-push-key=""' in page
    assert (await agree(hospital, mine, PhoneBrowser("https://fcm.googleapis.com/send"))).status_code == 422
