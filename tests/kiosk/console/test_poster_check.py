"""The check of a hung poster, over HTTP: every kind of code that may hang, and what staff read about it."""

import html
import re
import time
from urllib.parse import quote

import pytest

from kiosk.services.web import Services
from queueing.models import Counter
from queueing.registry import Registry
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser
from tokens import CounterCodes, KeyRing, qr

pytestmark = pytest.mark.anyio
PAGE = "/console/posters"


@pytest.fixture
async def registry(services: Services) -> Registry:
    return Registry(services.store)


def poster(services: Services, text: str, hip: str = HIP) -> str:
    """What a phone reads from a poster."""
    return qr.facility_url(services.settings.qr_host, hip, text)


async def sentence(browser: Browser, text: str, at: str = "counter:M1", *, physical: str = "") -> str:
    """The answer, and whether the page shows it as right."""
    page = await browser.send_form(PAGE, at=at, text=text, physical=physical)
    assert page.status_code == 200
    found = re.search(r'<p class="(note|trouble)"\s+id="verdict"[^>]*>(.*?)</p>', page.text, re.DOTALL)
    assert found, page.text
    shown = html.unescape(re.sub(r"</?bdi>", "", found[2]))
    assert (found[1] == "note") == shown.startswith("Right"), shown
    return shown


async def test_posters_where_they_belong_are_right(clerk: Browser, services: Services) -> None:
    assert await sentence(clerk, poster(services, "M1")) == "Right: this code leads to counter M1, queue Medicine OPD."
    assert await sentence(clerk, poster(services, "M"), "queue:medicine") == (
        "Right: this code leads to queue Medicine OPD, whatever counter serves it."
    )
    assert (await sentence(clerk, poster(services, "M"))).startswith(
        "Right queue: this code leads to queue Medicine OPD"
    )
    assert (await sentence(clerk, poster(services, "M2"), "queue:medicine")).startswith(
        "Right queue: this code leads to queue Medicine OPD. It is the poster of counter M2"
    )


async def test_swapped_posters_name_the_place_they_belong_to(
    clerk: Browser, services: Services, registry: Registry
) -> None:
    assert await sentence(clerk, poster(services, "M2")) == (
        "Wrong: this code leads to counter M2, queue Medicine OPD, not to M1. Hang it there, and the right one here."
    )
    assert "leads to counter R1, queue Registration, not to Medicine OPD" in (
        await sentence(clerk, poster(services, "R1"), "queue:medicine")
    )
    assert "leads to queue Registration, not to M1" in await sentence(clerk, poster(services, "R"))
    await registry.map_text(HIP, "OLD-7", "R1")
    assert "leads to counter R1" in await sentence(clerk, poster(services, "old-7"))
    await registry.put_counter(HIP, Counter(name="M1", queues=("registration",)))
    assert await sentence(clerk, poster(services, "M1")) == (
        "Right: this code leads to counter M1, queue Registration."
    ), "where it leads now"
    assert "leads to queue Medicine OPD, not to M1" in await sentence(clerk, poster(services, "M9"))


async def test_another_hospitals_code_and_another_services_address(
    clerk: Browser, services: Services, registry: Registry
) -> None:
    assert await sentence(clerk, poster(services, "M1", OTHER_HIP)) == (
        f"Wrong: this code is another hospital's, of HIP id {OTHER_HIP}. Take it down."
    )
    await registry.put_alias("SBXID_1", HIP)
    assert (await sentence(clerk, poster(services, "M1", "SBXID_1"))).startswith("Right: ")
    elsewhere = qr.facility_url("https://phr.abdm.gov.in", HIP, "M1")
    assert services.settings.qr_host != "https://phr.abdm.gov.in"
    assert "made for phr.abdm.gov.in, but this service works with phrsbx.abdm.gov.in" in (
        await sentence(clerk, elsewhere)
    )
    other_spelling = f"{services.settings.qr_host}/share-profile?hipId={HIP}&counterId=M2"
    assert "leads to counter M2" in await sentence(clerk, other_spelling)


async def test_codes_of_screens_are_no_posters(clerk: Browser, services: Services) -> None:
    codes, now_s = services.counter_codes, int(time.time())
    fresh = codes.mint(HIP, "M1", now_s)
    assert (await sentence(clerk, poster(services, fresh))).startswith(
        "Wrong: this is a code of the screen of counter M1, and it ends."
    )
    old = codes.mint(HIP, "M1", now_s - 40 * 86_400)
    assert "it has expired" in await sentence(clerk, poster(services, old))
    revoked = CounterCodes(KeyRing.generate(now_s=now_s)).mint(HIP, "M1", now_s)
    assert "the key was revoked. Who scans it comes to queue Medicine OPD" in (
        await sentence(clerk, poster(services, revoked))
    )
    of_another = codes.mint(OTHER_HIP, "M1", now_s)
    assert "the key was revoked" in await sentence(clerk, poster(services, of_another))


async def test_what_is_no_code_of_a_counter(clerk: Browser, services: Services) -> None:
    assert await sentence(clerk, poster(services, "<b>7f9c</b>")) == (
        "Wrong: this code names no counter and no queue of this hospital (“<b>7f9c</b>”)."
        " Who scans it comes to queue Medicine OPD."
    )
    now_s, base = int(time.time()), services.settings.public_url
    camera = services.camera_links.mint(HIP, "medicine", expires_s=now_s + 600, now_s=now_s)
    assert "phones without an ABHA app, and it ends" in await sentence(clerk, f"{base}/go/{camera}")
    assert "has expired or is not ours" in await sentence(clerk, f"{base}/go/{camera[:-4]}AAAA")
    ticket = services.ticket_links.mint(HIP, "20000-1", expires_s=now_s + 600, now_s=now_s)
    assert await sentence(clerk, f"{base}/t/{ticket}") == "This is a patient's number, not a poster."
    for text in ("91-0000-5555-2228", "https://elsewhere.example/?hip-id=", "https://[", f"ftp://x/?hip-id={HIP}"):
        assert (await sentence(clerk, text)).startswith("This is no code of Scan and Share."), text


async def test_a_scanner_on_a_pc_of_another_layout_is_understood(clerk: Browser, services: Services) -> None:
    typed = poster(services, "M2")
    assert "counter M2" in await sentence(clerk, "ھتتپس:÷÷", physical=typed)
    assert "counter M2" in await sentence(clerk, typed.swapcase()), "Caps Lock is on"
    assert "counter M2" in await sentence(clerk, f"]Q3{typed}\r"), "the scanner's own mark"


async def test_a_form_without_a_place_or_a_code_says_what_is_missing(clerk: Browser, services: Services) -> None:
    for at in ("", "counter:Z9", "queue:nothing", "M1"):
        page = await clerk.send_form(PAGE, at=at, text=poster(services, "M1"))
        assert (page.status_code, "Choose where the poster hangs." in page.text) == (422, True)
    page = await clerk.send_form(PAGE, at="counter:M1", text=" ")
    assert (page.status_code, "Scan the code of the poster." in page.text) == (422, True)
    assert '<option value="counter:M1" selected>' in page.text, "the place is kept"
    assert (await clerk.send_form(PAGE, at="counter:M1", text="x" * 20_000)).status_code in (200, 413)


async def test_the_page_alone_may_use_the_camera_and_the_text_stays_out_of_addresses(
    clerk: Browser, admin: Browser
) -> None:
    page = await clerk.get(PAGE)
    assert "camera=(self)" in page.headers["permissions-policy"]
    assert "camera=()" in (await clerk.get("/console/counters")).headers["permissions-policy"]
    assert 'method="post"' in page.text
    assert f'href="{PAGE}"' in (await clerk.get("/console/counters")).text
    assert f'href="{PAGE}"' in (await admin.get("/console/admin/rooms/posters")).text
    assert (await clerk.get(f"{PAGE}?text={quote('https://x.example')}")).status_code == 200
