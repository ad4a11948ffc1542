"""A poster as PNG: the page of the PDF, in every language, and its code is read back."""

import asyncio
import io

import pytest
from PIL import Image, ImageChops, ImageDraw
from PIL.Image import Image as Picture

from kiosk.posters import drawing
from kiosk.posters.drawing import NotDrawn, PosterPictures
from kiosk.posters.layout import BAND, FRAME, HEIGHT, INNER, QR_MM, TRIM, WIDTH, Text
from kiosk.posters.picture import A_MM, _fitting, picture
from kiosk.posters.sheet import draw
from kiosk.posters.texts import Poster, posters_of
from queueing.models import Counter
from tests.codes import codes_in
from tests.kiosk.posters.test_posters import HOST, LONG, WEEK, hospital, longest_hours, pages, queue

COUNTER = (Counter(name="M1", queues=("q0",)),)
BLOCKS_MM = (169.0, HEIGHT - TRIM - 8)
"""From the first language to the foot."""


def poster(name: str = "District Hospital Baramulla", *, long: bool = False) -> Poster:
    one = queue(0, LONG["en"], names=LONG, hours=longest_hours()) if long else queue(0, "Medicine OPD", hours=WEEK)
    [made] = posters_of(hospital(one, counters=COUNTER, name=name), HOST, {}, only="M1")
    return made


def opened(data: bytes) -> Picture:
    return Image.open(io.BytesIO(data)).convert("RGB")


def seen(page: Picture) -> list[str]:
    return [code.text for code in codes_in(page.convert("L"))]


def ink_of(page: Picture, first_mm: float, last_mm: float) -> tuple[int, int, int, int]:
    """The box around all ink between two heights, in dots; of a page of A4."""
    scale = page.width / WIDTH
    top = round(first_mm * scale)
    strip = page.convert("L").crop(
        (round(TRIM * scale) + 2, top, page.width - round(TRIM * scale) - 2, round(last_mm * scale))
    )
    box = ImageChops.invert(strip).point(lambda dot: 255 if dot > 100 else 0).getbbox()
    assert box is not None
    return box


def test_it_is_an_a4_page_that_scans_even_small_turned_scratched_and_on_grey_paper() -> None:
    data = picture(poster())
    with Image.open(io.BytesIO(data)) as file:
        assert (file.format, file.size) == ("PNG", (1_654, 2_339))
        assert [round(dots) for dots in file.info["dpi"]] == [200, 200]
    page, text = opened(data).convert("L"), poster().text
    assert seen(page) == [text]
    assert seen(page.resize((500, 707))) == [text]
    assert seen(page.rotate(17, expand=True, fillcolor=255)) == [text]
    assert seen(page.point(lambda tone: 60 + tone // 2)) == [text]
    middle = page.width // 2
    ImageDraw.Draw(page).rectangle((middle + 40, 560, middle + 130, 650), fill=255)
    assert seen(page) == [text]


@pytest.mark.parametrize("long", [False, True], ids=["ordinary", "long"])
def test_each_language_stands_where_it_stands_in_the_pdf(long: bool) -> None:
    one = poster("Government Medical College " * 4 if long else "District Hospital Baramulla", long=long)
    drawn, [printed] = opened(picture(one)), pages(draw([one]), 200)
    assert len(one.blocks) >= 6
    first, last = BLOCKS_MM
    each = (last - first) / len(one.blocks)
    for at in range(len(one.blocks)):
        box, other = (ink_of(page, first + at * each, first + (at + 1) * each) for page in (drawn, printed))
        assert box[2] - box[0] == pytest.approx(other[2] - other[0], rel=0.25), one.blocks[at]
    assert seen(drawn) == seen(printed) == [one.text]


def test_the_hospital_stands_on_every_side_of_the_code() -> None:
    named, nameless = (opened(picture(poster(name))) for name in ("District Hospital Baramulla", "."))
    band, side = round(BAND * A_MM), round((QR_MM + 2 * BAND + 2) * A_MM)
    left, top = (named.width - side) // 2, round((TRIM + 28) * A_MM)
    assert nameless.getpixel((left + 4, top + 4)) == FRAME
    right, bottom = left + side, top + side
    for edge in ((left, top, right, top + band), (left, bottom - band, right, bottom), (left, top, left + band, bottom),
                 (right - band, top, right, bottom)):  # fmt: skip
        assert named.crop(edge).tobytes() != nameless.crop(edge).tobytes()


@pytest.mark.parametrize("name", ["ضلع ہسپتال بارہمولہ", "जिला अस्पताल", "Supercalifragilistic" * 6])
def test_a_name_in_any_script_and_of_any_length_leaves_the_code_readable(name: str) -> None:
    page = opened(picture(poster(name)))
    assert seen(page) == [poster(name).text]
    outside = page.convert("L").crop((0, round(16 * A_MM), round((TRIM - 0.5) * A_MM), round((HEIGHT - 16) * A_MM)))
    assert outside.getextrema() == (255, 255), "ink outside the cut, between the marks"


@pytest.mark.parametrize(
    "names", [{"hi": "ज़िला अस्पताल", "ur": "ضلع ہسپتال"}, LONG], ids=["two", "long ones of every language"]
)
def test_the_hospitals_names_stay_in_the_head(names: dict[str, str]) -> None:
    place = hospital(queue(0, "Medicine OPD"), counters=COUNTER, names=names)
    [one] = posters_of(place, HOST, {}, only="M1")
    [plain] = posters_of(hospital(queue(0, "Medicine OPD"), counters=COUNTER), HOST, {}, only="M1")
    assert len(one.facility_names) == len(set(names.values()))
    page, other = opened(picture(one)), opened(picture(plain))
    assert seen(page) == [one.text]
    head = round(TRIM * A_MM), round((TRIM + 24) * A_MM)
    inner = round((TRIM + 2) * A_MM), page.width - round((TRIM + 2) * A_MM)
    assert (
        page.crop((inner[0], head[0], inner[1], head[1])).tobytes()
        != other.crop((inner[0], head[0], inner[1], head[1])).tobytes()
    )
    below = page.convert("L").crop((inner[0], head[1] + 2, inner[1], round((TRIM + 27.5) * A_MM)))
    assert below.getextrema() == (255, 255)
    above = page.crop((inner[0], head[0] + 2, inner[1], head[0] + 8))
    assert above.getcolors() == [(above.width * above.height, FRAME)]


@pytest.mark.parametrize("code", LONG)
def test_every_line_fits_its_width_and_the_lines_their_height(code: str) -> None:
    lines, high = _fitting(Text(words=LONG[code], y=0, height=5, largest=17))
    assert len(lines) * high <= 5 * A_MM + 1
    assert all(line.width <= 64 * round((WIDTH - 2 * (TRIM + INNER)) * A_MM) for line in lines)


@pytest.mark.anyio
async def test_a_poster_is_drawn_once_and_many_that_wait_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Poster] = []
    begun, go = asyncio.Event(), asyncio.Event()

    async def apart(job: drawing.Job) -> bytes:
        jobs.append(job.posters[0])
        begun.set()
        await go.wait()
        return job.posters[0].facility.encode()

    monkeypatch.setattr(drawing, "_drawn_apart", apart)
    pictures = PosterPictures()
    waiting = [asyncio.create_task(pictures.drawn(poster("one"))) for _ in range(drawing.WAITING_MAX)]
    await begun.wait()
    with pytest.raises(NotDrawn):
        await pictures.drawn(poster("two"))
    go.set()
    assert set(await asyncio.gather(*waiting)) == {b"one"}
    assert len(jobs) == 1
    for number in range(drawing.PICTURES_MAX):
        await pictures.drawn(poster(str(number)))
    assert (await pictures.drawn(poster("15")), len(jobs)) == (b"15", 1 + drawing.PICTURES_MAX)
    assert (await pictures.drawn(poster("one")), len(jobs)) == (b"one", 2 + drawing.PICTURES_MAX)
