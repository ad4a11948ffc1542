"""The page on which an administrator corrects sentences of the screens for the own hospital."""

import html

import pytest

from kiosk.locales import BOOK
from kiosk.services.web import Services
from queueing.corrections import Corrections
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/words"
BETTER = "وُنؠ چھُ بَنٛد"
FORM = {"language": "ks", "which": "all", "key": "board.closed"}


async def stored(services: Services, hip: str = HIP) -> Corrections:
    facility = await services.registry.facility(hip)
    assert facility is not None
    return facility.corrections


async def test_the_page_begins_with_the_doubtful_sentences_of_a_draft(admin: Browser, clerk: Browser) -> None:
    text = (await admin.get(PAGE)).text
    assert "No native speaker has read" in text
    assert "doubtful</span> " in text
    assert (await clerk.get(PAGE)).status_code == 403
    found = (await admin.get(PAGE, params={"language": "ur", "which": "all", "find": "NUMBER {token}"})).text
    assert found.count("<article") == 1
    assert BOOK["ur"].texts["board.spoken"] in found
    assert "The board in the hall, read from ten metres." in found
    assert "Read aloud by a browser" in found
    consent = (await admin.get(PAGE, params={"language": "ur", "which": "all", "find": "I agree that"})).text
    assert "changes only with a release" in consent
    assert 'name="form0"' not in consent


async def test_a_sentence_is_corrected_for_the_own_hospital_and_taken_back(admin: Browser, services: Services) -> None:
    done = await admin.send_form(f"{PAGE}/correct", form0=f"  {BETTER}\n", **FORM)
    assert done.headers["location"] == f"{PAGE}?language=ks&which=all&done=correct#board.closed"
    [one] = (await stored(services)).entries
    assert (one.language, one.key, one.forms, one.by) == ("ks", "board.closed", (BETTER,), "imran")
    assert not (await stored(services, OTHER_HIP)).entries
    listed = (await admin.get(PAGE, params={"language": "ks", "which": "corrected"})).text
    assert listed.count("<article") == 1
    assert "Corrected by <bdi>imran</bdi> on " in listed
    assert BETTER in (await admin.get(f"/board/{HIP}?lang=ks")).text
    assert BETTER not in (await admin.get(f"/board/{OTHER_HIP}?lang=ks")).text
    back = await admin.send_form(f"{PAGE}/take-back", **FORM)
    assert back.headers["location"].endswith("done=take-back#board.closed")
    assert (await admin.send_form(f"{PAGE}/take-back", **FORM)).status_code == 404
    assert (await admin.send_form(f"{PAGE}/rename", **FORM)).status_code == 404
    assert BETTER not in (await admin.get(f"/board/{HIP}?lang=ks")).text
    acts = [(entry.kind, entry.by, entry.why) for entry in await services.audit.read(HIP) if "word" in entry.kind]
    assert acts == [
        ("admin_word-back", "imran", "ks board.closed"), ("admin_word-correct", "imran", "ks board.closed"),
    ]  # fmt: skip
    assert "corrected a sentence of the screens" in (await admin.get("/console/audit")).text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"form0": " "}, "Write the whole sentence."),
        ({"form0": "x" * 241}, "Write at most 240 characters."),
        ({"form0": "بَنٛد", "form1": "بَنٛد"}, "Write the whole sentence."),
        ({"form0": "بَنٛد {counter}"}, "{counter} is not in the original."),
        ({"key": "board.spoken", "form0": "نمبر {token}"}, "The sentence lacks {counter}:"),
        ({"key": "board.spoken", "form0": "{token} {counter.name}"}, "Braces { } stand only around a name"),
        ({"key": "form.consent", "form0": "x"}, "what a patient agrees to"),
    ],
)
async def test_what_does_not_fit_is_named_and_stays_in_the_form(
    admin: Browser, services: Services, wrong: dict[str, str], sentence: str
) -> None:
    answer = await admin.send_form(f"{PAGE}/correct", **{**FORM, **wrong})
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.text)
    if wrong.get("key") != "form.consent":
        assert f'value="{html.escape(wrong["form0"].strip())}"' in answer.text
    assert not (await stored(services)).entries


async def test_a_correction_is_plain_text_wherever_it_is_seen(admin: Browser, services: Services) -> None:
    evil = '<img src=x onerror="alert(1)">\u202e'
    assert (await admin.send_form(f"{PAGE}/correct", form0=evil, **FORM)).status_code == 303
    assert (await stored(services)).entries[0].forms == (evil.removesuffix("\u202e"),)
    for path in (f"/board/{HIP}?lang=ks", f"{PAGE}?language=ks&which=corrected"):
        text = (await admin.get(path)).text
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text


async def test_phones_and_slips_have_it_with_the_next_request(
    admin: Browser, clerk: Browser, services: Services
) -> None:
    for key, text in (
        ("ticket.title", "آپ کا اپنا نمبر"),
        ("find.title", "میری باری"),
        ("counter_screen.title", "یہاں"),
    ):
        form = {"language": "ur", "key": key, "form0": text}
        assert (await admin.send_form(f"{PAGE}/correct", **form)).status_code == 303, key
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name="Zoona Begum")).json()
    assert slip["local"]["ur"]["title"] == "آپ کا اپنا نمبر"
    assert slip["local"]["hi"]["title"] == BOOK["hi"].texts["ticket.title"]
    link = slip["link"].removeprefix(services.settings.public_url)
    assert "آپ کا اپنا نمبر" in (await clerk.get(f"{link}?lang=ur")).text
    assert "آپ کا اپنا نمبر" not in (await clerk.get(f"{link}?lang=hi")).text
    assert "میری باری" in (await clerk.get(f"/find/{HIP}?lang=ur")).text
    assert ">یہاں</h1>" in (await clerk.get(f"/kiosk/{HIP}/M1?lang=ur")).text


async def test_the_corrections_of_a_language_are_exported(admin: Browser) -> None:
    await admin.send_form(f"{PAGE}/correct", form0=BETTER, **FORM)
    answer = await admin.get(f"{PAGE}/ks/export")
    assert answer.headers["content-type"] == "text/x-gettext-translation; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="kiosk-ks.po"'
    assert f'msgctxt "board.closed"\nmsgid "Closed"\nmsgstr "{BETTER}"\n' in answer.text
    for language in ("en", "xx"):
        assert (await admin.get(f"{PAGE}/{language}/export")).status_code == 404
