"""A facility whose HIP id has a slash and a space, or that has a second id, has its board, screens, QR and stream."""

from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from kiosk.voice.parts import all_parts
from queueing.models import Facility, Queue
from tests.kiosk.hospital import HIP, Hospital

pytestmark = pytest.mark.anyio

ODD = "District/OPD 7"
SEGMENT = quote(ODD, safe="")


@pytest.fixture
async def odd(hospital: Hospital) -> Hospital:
    registry = hospital.services.registry
    await registry.put_facility(Facility(hip_id=ODD, name="Hospital with a slash"))
    await registry.set_networks(ODD, ["127.0.0.1"])
    await registry.put_queue(ODD, Queue(id="medicine", name="Medicine", prefix="M"), 2)
    return hospital


@pytest.mark.parametrize("page", ["/board/{}", "/kiosk/{}/M1"])
@pytest.mark.parametrize("segment", [SEGMENT, SEGMENT.replace("%2F", "%2f")])
async def test_a_page_of_such_a_facility_opens(
    visitor: httpx.AsyncClient, odd: Hospital, page: str, segment: str
) -> None:
    answer = await visitor.get(page.format(segment))
    assert answer.status_code == 200
    assert "Hospital with a slash" in answer.text
    assert f"/live/{SEGMENT}" in answer.text


async def test_its_code_names_the_id_as_it_is(visitor: httpx.AsyncClient, odd: Hospital) -> None:
    answer = await visitor.get(f"/kiosk/{SEGMENT}/M1/qr")
    assert answer.status_code == 200
    address = urlsplit(answer.json()["abdm"]["text"])
    assert parse_qs(address.query)["hip-id"] == [ODD]
    text = parse_qs(address.query)["counter-id"][0]
    assert odd.services.counter_codes.read(text, ODD, answer.json()["rotates_at_ms"] // 1000 - 30).counter == "M1"


async def test_its_calls_are_spoken(visitor: httpx.AsyncClient, odd: Hospital) -> None:
    for part in all_parts("en"):
        odd.services.clips.save("en", part, b"\0\x20" * 2_000, ODD)
    assert f'data-voice="/board/{SEGMENT}/voice/"' in (await visitor.get(f"/board/{SEGMENT}")).text
    call = {"token": "M-001", "counter": "M1"}
    assert (await visitor.get(f"/board/{SEGMENT}/voice/en", params=call)).headers["content-type"] == "audio/wav"
    assert (await visitor.get(f"/board/{HIP}/voice/en", params=call)).status_code == 204


async def test_its_stream_opens(visitor: httpx.AsyncClient, odd: Hospital) -> None:
    assert (await visitor.request("HEAD", f"/live/{SEGMENT}")).status_code == 200
    assert (await visitor.request("HEAD", "/live/District%2FNowhere")).status_code == 404


async def test_its_newest_snapshot_is_asked_for(visitor: httpx.AsyncClient, odd: Hospital) -> None:
    assert (await visitor.get(f"/live/{SEGMENT}/now")).json()["facility"] == ODD


async def test_an_id_that_ends_like_the_poll_has_its_stream(visitor: httpx.AsyncClient, odd: Hospital) -> None:
    await odd.services.registry.put_facility(Facility(hip_id="IN01/now", name="Odd"))
    stream = await visitor.request("HEAD", "/live/IN01%2Fnow")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert (await visitor.get("/live/IN01%2Fnow/now")).json()["facility"] == "IN01/now"


async def test_pages_answer_under_an_alias_and_show_the_facilitys_own_code(
    visitor: httpx.AsyncClient, odd: Hospital
) -> None:
    odd.services.connection.aliases = {"IN01_1": ODD}
    try:
        board = await visitor.get("/board/IN01_1")
        codes = await visitor.get("/kiosk/IN01_1/M1/qr")
        stream = await visitor.request("HEAD", "/live/IN01_1")
        poll = await visitor.get("/live/IN01_1/now")
    finally:
        odd.services.connection.aliases = {}
    assert (board.status_code, codes.status_code, stream.status_code, poll.status_code) == (200, 200, 200, 200)
    assert poll.json()["facility"] == ODD
    assert "Hospital with a slash" in board.text
    assert parse_qs(urlsplit(codes.json()["abdm"]["text"]).query)["hip-id"] == [ODD]
    assert (await visitor.get("/board/IN01_1")).status_code == 404


async def test_a_slash_that_parts_two_segments_still_does(visitor: httpx.AsyncClient, odd: Hospital) -> None:
    assert (await visitor.get(f"/board/{ODD}")).status_code == 404
    assert (await visitor.get(f"/board/{HIP}")).status_code == 200
