"""Clerks choose the language of the staff pages: whole catalogues, kept with the login, never mixed on a page."""

import re
from pathlib import Path

import pytest
from litestar import Litestar

from kiosk.console.language import languages
from kiosk.locales.catalogue import read_catalogue
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import Browser, arrive, browser, ready_login
from tests.kiosk.locales import staff
from tests.kiosk.locales.catalogues import ROOT

pytestmark = pytest.mark.anyio

PLACEHOLDER = re.compile(r"\{\w+\}")
CODES = [path.parents[1].name for path in staff.catalogues()]


def test_the_staff_catalogues_are_as_make_words_writes_them() -> None:
    """When this fails: run `make words` and translate what it names."""
    stale = [str(path) for path, text in staff.drawn().items() if path.read_text("utf-8") != text]
    assert not stale, "run make words"


@pytest.mark.parametrize("path", staff.catalogues(), ids=CODES)
def test_every_sentence_of_the_clerks_pages_is_translated_with_its_placeholders(path: Path) -> None:
    translated = read_catalogue(path).translated
    assert translated.keys() == staff.sentences().keys()
    for english, (text,) in translated.items():
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(english)), english
        assert text != english or english == "…", english


def test_the_words_of_every_page_go_through_the_catalogue() -> None:
    """Text between two tags, or in an attribute that people read, that is neither a key nor an expression."""
    known = {
        "ABHA",
        "CSV",
        "80 mm",
        "58 mm",
        "A3",
        "A4",
        "FHIR R4 Bundle",
        "HIP ID:",
        "e-Hospital",
        "JSON",
        "https://hmis.hospital.example/events",
        "hl7.hospital.example:2575",
        "ms",
        "Scan and Share",
        "kiosk staff reset-totp",
        "Scan to see how many are before you",
    }
    for page in (ROOT / "console" / "templates").glob("*.html"):
        text = page.read_text("utf-8")
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<kbd>.*?</kbd>|<script.*?</script>", "", text, flags=re.DOTALL)
        seen = re.findall(r">([^<]+)<", text) + re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]+)"', text)
        texts = {" ".join(one.split()) for one in seen if re.search("[A-Za-z]{2}", one)}
        assert texts <= known, page.name


async def test_a_clerk_chooses_urdu_and_the_desk_and_its_answers_speak_it_until_another_choice(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    await ready_login(services.staff, "bilal", name="Bilal")
    assert (await clerk.send_form("/console/account/language", language="ur")).status_code == 303
    page = (await clerk.get("/console/at/M1")).text
    assert '<html lang="ur" dir="rtl">' in page
    assert languages()["ur"].texts["Recall"] in page
    assert "Recall" not in page
    await arrive(services.check_in, "First")
    assert (await clerk.ask("/console/desk/next", counter="M1", seen="")).json()["words"] == "M-001 کو M1 پر بلایا گیا۔"
    async with browser(app, address="10.1.2.9") as bilal:
        await bilal.sign_in("bilal")
        assert '<html lang="en" dir="ltr">' in (await bilal.get("/console/at/M2")).text
    await clerk.send_form("/console/account/language", language="en")
    assert (await clerk.ask("/console/desk/recall", counter="M1")).json()["words"] == "M-001 called again."


async def test_without_a_choice_the_browser_decides_and_an_unknown_language_is_refused(clerk: Browser) -> None:
    page = await clerk.get("/console/counters", headers={"accept-language": "hi-IN, en;q=0.5"})
    assert '<html lang="hi" dir="ltr">' in page.text
    page = await clerk.get("/console/counters", headers={"accept-language": "doi, fr"})
    assert '<html lang="en" dir="ltr">' in page.text
    assert (await clerk.send_form("/console/account/language", language="xx")).status_code == 404
