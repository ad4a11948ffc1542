"""The counter's QR screen, as the server draws it."""

import html
import re
import time
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from PIL import Image

from kiosk.locales import BOOK, LANGUAGES
from kiosk.posters.drawing import NotDrawn, PosterPictures
from kiosk.posters.picture import picture
from kiosk.posters.texts import posters_of
from queueing.models import Facility, Queue
from tests.codes import codes_in
from tests.kiosk.hospital import HIP, MEDICINE, Hospital
from tokens import Grade, qr

pytestmark = pytest.mark.anyio

SCREEN = f"/kiosk/{HIP}/M1"


async def codes_of(visitor: httpx.AsyncClient, screen: str = SCREEN) -> dict[str, dict[str, str]]:
    answer = await visitor.get(f"{screen}/qr")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    codes: dict[str, dict[str, str]] = answer.json()
    return codes


def counter_text(abdm: str) -> str:
    address = urlsplit(abdm)
    assert (address.scheme, address.netloc, address.path) == ("https", "phrsbx.abdm.gov.in", "/share-profile")
    query = parse_qs(address.query)
    assert query["hip-id"] == [HIP]
    return query["counter-id"][0]


async def test_the_code_proves_this_screen_now(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    text = counter_text((await codes_of(visitor))["abdm"]["text"])
    assert re.fullmatch("[A-Z0-9]{20}", text)
    proof = hospital.services.counter_codes.read(text, HIP, int(time.time()))
    assert (proof.counter, proof.grade) == ("M1", Grade.FRESH)


async def test_the_screen_says_until_when_its_code_is_shown(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    now_ms = time.time_ns() // 1_000_000
    codes = msgspec.convert(await codes_of(visitor), dict[str, object])
    rotates_ms, good_until_ms = codes["rotates_at_ms"], codes["good_until_ms"]
    assert isinstance(rotates_ms, int)
    assert isinstance(good_until_ms, int)
    assert now_ms - 60_000 < rotates_ms <= now_ms + 61_000
    after = hospital.services.counter_codes.mint(HIP, "M1", rotates_ms // 1000)
    assert after != counter_text(msgspec.convert(codes["abdm"], dict[str, str])["text"])
    proof = hospital.services.counter_codes.read(
        counter_text(msgspec.convert(codes["abdm"], dict[str, str])["text"]), HIP, good_until_ms // 1000
    )
    assert proof.grade is Grade.FRESH  # a screen takes its code down before the code goes stale


async def test_every_viewer_of_a_slot_sees_the_same_pictures(visitor: httpx.AsyncClient) -> None:
    first = await codes_of(visitor)
    for _ in range(3):
        again = await codes_of(visitor)
        if again["rotates_at_ms"] == first["rotates_at_ms"]:
            assert again["abdm"] == first["abdm"]
            assert again["camera"] == first["camera"]


async def test_the_pictures_are_of_the_texts(visitor: httpx.AsyncClient) -> None:
    codes = await codes_of(visitor)
    for kind in ("abdm", "camera"):
        answer = await visitor.get(codes[kind]["svg"])
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert answer.content in {qr.svg(c[kind]["text"]) for c in (codes, await codes_of(visitor))}


async def test_the_second_code_opens_the_form_of_this_counters_queue(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    link = (await codes_of(visitor))["camera"]["text"]
    assert link.startswith(f"{hospital.url}/go/")
    claim = hospital.services.camera_links.read(link.rpartition("/")[2], now_s=int(time.time()))
    assert (claim.hip_id, claim.queue) == (HIP, MEDICINE)
    assert (await visitor.get(link)).status_code == 200


async def test_a_counter_whose_name_fits_no_code_shows_the_bare_name(visitor: httpx.AsyncClient) -> None:
    codes = await codes_of(visitor, f"/kiosk/{HIP}/ROOM17")
    assert counter_text(codes["abdm"]["text"]) == "ROOM17"


async def test_the_page_carries_the_first_code_itself(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    page = (await visitor.get(SCREEN)).text
    texts = [html.unescape(text) for text in re.findall(r'data-text="([^"]+)"', page)]
    proof = hospital.services.counter_codes.read(counter_text(texts[0]), HIP, int(time.time()))
    assert proof.counter == "M1"
    for address in re.findall(r'<img [^>]*src="([^"]+)"', page):
        assert (await visitor.get(html.unescape(address))).status_code == 200


@pytest.mark.parametrize("code", LANGUAGES)
async def test_the_screen_speaks_each_language_and_offers_the_others(visitor: httpx.AsyncClient, code: str) -> None:
    page = (await visitor.get(SCREEN, params={"lang": code})).text
    assert f'<html lang="{code}" dir="{BOOK[code].direction}"' in page
    for key in ("counter_screen.title", "counter_screen.step_scan", "counter_screen.no_phone"):
        assert BOOK[code].say(key) in page
    for other in LANGUAGES:
        assert f'data-language="{other}"' in page


async def test_names_from_outside_are_text_and_never_markup(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    await hospital.services.registry.put_queue(
        HIP, Queue(id=MEDICINE, name='"><img src=x onerror=alert(1)>', prefix="M"), 3
    )
    for path in (SCREEN, f"/board/{HIP}", hospital.camera_link()):
        page = (await visitor.get(path)).text
        assert "<img src=x" not in page
        assert "District Hospital &lt;Baramulla&gt;" in page


async def test_a_closed_counter_says_so(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    assert 'data-open="yes"' in (await visitor.get(SCREEN)).text
    await hospital.services.registry.open_counter(HIP, "M1", False)
    assert 'data-open="no"' in (await visitor.get(SCREEN)).text


@pytest.mark.parametrize(
    "path", ["/kiosk/IN0000000000/M1", f"/kiosk/{HIP}/Z9", f"/kiosk/{HIP}/%00", "/board/IN0000000000"]
)
async def test_an_unknown_place_says_so_in_the_language_asked_for(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path, headers={"accept-language": "doi"})
    assert answer.status_code == 404
    assert BOOK["doi"].say("common.ask_desk") in answer.text


@pytest.mark.parametrize("name", ["qr", "abdm-1.svg", "camera-1.svg", "poster.png"])
async def test_an_unknown_counter_has_no_codes(visitor: httpx.AsyncClient, name: str) -> None:
    assert (await visitor.get(f"/kiosk/{HIP}/Z9/{name}")).status_code == 404


@pytest.mark.parametrize("name", ["other-1.svg", "abdm-1.png", "abdm", "__class__-1.svg", "rotates_at_ms-1.svg"])
async def test_only_codes_are_drawn(visitor: httpx.AsyncClient, name: str) -> None:
    assert (await visitor.get(f"{SCREEN}/{name}")).status_code == 404


@pytest.mark.slow
async def test_the_poster_says_the_bare_name_and_is_the_page_of_the_pdf_in_every_script(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    await hospital.services.registry.put_facility(Facility(hip_id=HIP, name="ضلع ہسپتال"))
    answer = await visitor.get(f"/kiosk/{HIP}/m1/poster.png")
    found = await hospital.services.registry.hospital(HIP)
    assert found is not None
    [page] = posters_of(found, hospital.services.settings.qr_host, {}, only="M1")
    assert page.facility == "ضلع ہسپتال"
    assert answer.content == picture(page)
    with Image.open(BytesIO(answer.content)) as poster:
        [code] = codes_in(poster.convert("L"))
    assert counter_text(code.text) == "M1"


async def test_a_poster_that_cannot_be_drawn_now_is_said(
    visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> bytes:
        raise NotDrawn("Many posters are being drawn.")

    monkeypatch.setattr(PosterPictures, "drawn", busy)
    answer = await visitor.get(f"{SCREEN}/poster.png")
    assert (answer.status_code, answer.text) == (503, "Many posters are being drawn.")


async def test_boards_take_their_wishes_from_their_address(visitor: httpx.AsyncClient) -> None:
    page = (await visitor.get(f"/board/{HIP}?queues=M,%20registration&lang=ur,en&digits=native&look=night")).text
    assert '<html lang="ur" dir="rtl" data-look="night"' in page
    assert 'data-queues="M,registration"' in page
    assert 'data-languages="ur,en"' in page
    assert 'data-digits="native"' in page


async def test_a_board_with_foolish_wishes_is_a_plain_board(visitor: httpx.AsyncClient) -> None:
    page = (await visitor.get(f"/board/{HIP}?lang=xx&digits=9&look=javascript:1")).text
    assert 'data-languages="en,hi,ur,ks,doi"' in page
    assert 'data-look="day"' in page
    assert 'data-digits="latin"' in page
    assert (await visitor.get(f"/board/{HIP}?lang={'x' * 5000}")).status_code == 400


@pytest.mark.parametrize("path", [SCREEN, f"/board/{HIP}", "/t/x", "/go/x", "/board/none"])
async def test_every_page_forbids_what_it_does_not_use(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", answer.text)
