"""QR images: a phone reads exactly the text that was put in."""

import io
import re
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tests.codes import codes_in
from tokens import CounterCodes, KeyRing, PictureError, TicketLinks, qr

NOW = 1_800_000_000
HOST = "https://phrsbx.abdm.gov.in"
HIP = "IN0110000123"
RING = KeyRing.generate(NOW)
SCREEN = qr.facility_url(HOST, HIP, CounterCodes(RING).mint(HIP, "M1", NOW))
SLIP = "https://kiosk.example.in/t/" + TicketLinks(RING, audience="https://kiosk.example.in").mint(
    HIP, "20261123-1042", expires_s=NOW + 86_400, now_s=NOW
)


TAKEN_FOR_TWO = (
    "https://kiosk.example.in/t/Achva0sjgA0yMDI2MTEyMy0xMDQySU4wMTEwMDAwMTIzcF_EdTcnd1SXm_803eFUEp9CjpT27NcR44Z1P5A3IeJW"
    "Q2TrgFgCBNbTLxkuG3R9umhqYEj77tO1fiT6kF11CA"
)
"""In its symbol a reader of every format also sees a bar code, as in one of some thousand links."""


def seen(picture: Image.Image) -> list[str]:
    return [code.text for code in codes_in(picture)]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def painted(svg: bytes, scale: int = 8) -> Image.Image:
    """Our SVG drawn as an image. In a path ``M`` moves to, ``m`` moves by, and ``h`` draws a stroke one unit high."""
    root = ET.fromstring(svg)  # noqa: S314 - our own output, not a stranger's
    width = int(root.attrib["viewBox"].split()[2])
    picture = Image.new("RGB", (width * scale, width * scale), "white")
    draw = ImageDraw.Draw(picture)
    strokes = root.findall("{http://www.w3.org/2000/svg}path")[-1].attrib["d"]
    x = y = 0.0
    for letter, numbers in re.findall(r"([Mmh])([-0-9. ]+)", strokes):
        values = [float(number) for number in re.findall(r"-?[0-9.]+", numbers)]
        if letter == "M":
            x, y = values
        elif letter == "m":
            x, y = x + values[0], y + values[1]
        else:
            box = (x * scale, (y - 0.5) * scale, (x + values[0]) * scale - 1, (y + 0.5) * scale - 1)
            draw.rectangle(box, fill="black")
            x += values[0]
    return picture


@pytest.mark.parametrize(
    "text",
    [SCREEN, SLIP, "M1", "https://kiosk.example.in/go/ü?x=1&y=<2>", TAKEN_FOR_TWO],
    ids=["screen", "slip", "short", "other letters", "taken for two"],
)
def test_svg_and_png_are_read_back_exactly(text: str) -> None:
    assert seen(painted(qr.svg(text))) == [text]
    assert seen(opened(qr.png(text))) == [text]
    assert seen(opened(qr.png(text, scale=3))) == [text]


@settings(max_examples=15, deadline=None)  # drawing a code takes long on a busy machine
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200))
def test_any_printable_text_is_read_back(text: str) -> None:
    assert seen(opened(qr.png(text, scale=4))) == [text]


def test_the_svg_scales_with_its_box_and_tells_screen_readers_what_it_is() -> None:
    root = ET.fromstring(qr.svg("M1", label="Scan <here> & get a number"))  # noqa: S314 - our own output
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "Scan <here> & get a number"
    assert "width" not in root.attrib
    assert "viewBox" in root.attrib
    assert b"style=" not in qr.svg("M1", label="x")
    assert b"<title" not in qr.svg("M1")


def test_an_image_is_drawn_only_once() -> None:
    assert qr.svg(SCREEN, label="once") is qr.svg(SCREEN, label="once")
    assert qr.png(SCREEN) is qr.png(SCREEN)


@pytest.mark.parametrize("text", ["", "x" * 1_201, "ü" * 601, "\ud800"])
def test_the_size_of_every_image_is_bounded(text: str) -> None:
    for draw in (qr.svg, qr.png):
        with pytest.raises(PictureError):
            draw(text)


@pytest.mark.parametrize("scale", [0, -1, 41])
def test_the_scale_of_a_picture_is_bounded(scale: int) -> None:
    with pytest.raises(PictureError):
        qr.png("M1", scale=scale)


def test_the_facility_address_has_the_form_that_phr_apps_read() -> None:
    assert qr.facility_url(HOST, "IN0110000123", "OPD1") == f"{HOST}/share-profile?hip-id=IN0110000123&counter-id=OPD1"
    assert qr.facility_url(HOST + "/", "IN0110000123", "OPD1") == qr.facility_url(HOST, "IN0110000123", "OPD1")


@given(st.text(min_size=1, max_size=250), st.text(max_size=250))
def test_any_hip_id_and_counter_text_survive_the_address(hip_id: str, counter: str) -> None:
    parts = urlsplit(qr.facility_url(HOST, hip_id, counter))
    fields = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
    assert fields == {"hip-id": [hip_id], "counter-id": [counter]}
    assert (parts.path, parts.fragment) == ("/share-profile", "")
    assert "+" not in parts.query


@pytest.mark.parametrize(("hip_id", "counter"), [("", "M1"), ("H" * 251, "M1"), (HIP, "M" * 251), ("\ud800", "M1")])
def test_an_address_out_of_bounds_is_not_made(hip_id: str, counter: str) -> None:
    with pytest.raises(PictureError):
        qr.facility_url(HOST, hip_id, counter)


def test_a_printed_code_has_fewer_modules_where_digits_or_capitals_stand_together() -> None:
    plain, grouped = f"{HOST}/t/{'a' * 30}", f"{HOST}/t/{'1' * 30}"
    assert len(qr.modules(grouped)) < len(qr.modules(plain))
    assert len(qr.modules(plain)) == len(segno.make_qr(plain, error="q").matrix)
