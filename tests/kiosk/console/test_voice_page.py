"""The page of the hospital's own voice: what is taken, what is refused, and what the audit knows."""

import base64
import io
import math
import wave
from array import array
from collections.abc import Callable

import pytest

from kiosk.console.voice_page import WITH_MICROPHONE
from kiosk.services.web import Services
from kiosk.voice.parts import all_parts, short_parts
from kiosk.voice.sound import RATE, silence, wav
from kiosk.web.limits import RECORDING_BODY_MAX
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/voice"


def spoken(length_s: float = 0.4, loud: int = 12_000) -> str:
    """A recording of a word, as the page sends it."""
    points = (int(loud * math.sin(2 * math.pi * 220 * at / RATE)) for at in range(round(length_s * RATE)))
    return base64.b64encode(wav(silence(0.3) + array("h", points).tobytes() + silence(0.3))).decode()


async def test_a_recording_is_saved_heard_and_taken_away(admin: Browser, services: Services) -> None:
    page = await admin.get(f"{PAGE}?language=ks")
    assert page.headers["permissions-policy"] == WITH_MICROPHONE["Permissions-Policy"]
    assert "microphone=(self)" in page.headers["permissions-policy"]
    assert 'data-part="n7"' in page.text
    assert page.text.count('data-voice="missing"') == len(all_parts("ks"))
    assert (await admin.get(f"{PAGE}/ks/n7")).status_code == 404
    answer = await admin.ask(f"{PAGE}/save", language="ks", part="n7", sound=spoken())
    assert answer.status_code == 200, answer.text
    left = len(short_parts("ks")) - 1
    assert answer.json() == {
        "words": "Saved: 7, 0.6 seconds.", "voice": "own", "speaks": False, "left_first": left,
        "left": len(all_parts("ks")) - 1,
    }  # fmt: skip
    heard = await admin.get(f"{PAGE}/ks/n7")
    assert (heard.headers["content-type"], heard.headers["cache-control"]) == ("audio/wav", "no-store")
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert sound.getnframes() / RATE == pytest.approx(0.4 + 2 * 0.08, abs=0.03)
    assert services.clips.names("ks", HIP) == {"n7"}
    assert services.clips.names("ks") == services.clips.names("ks", OTHER_HIP) == frozenset()
    assert (await admin.ask(f"{PAGE}/remove", language="ks", part="n7")).json()["voice"] == "missing"
    assert (await admin.ask(f"{PAGE}/remove", language="ks", part="n7")).status_code == 422
    entries = [entry for entry in await services.audit.read(HIP) if "voice" in entry.kind]
    assert {(entry.kind, entry.by, entry.why) for entry in entries} == {
        ("admin_voice-add", "imran", "ks n7"), ("admin_voice-remove", "imran", "ks n7"),
    }  # fmt: skip
    assert len(entries) == 2


async def test_with_the_first_phrases_the_hall_speaks_with_this_voice(admin: Browser, services: Services) -> None:
    clips = services.clips
    word = base64.b64decode(spoken())[44:]
    for part in short_parts("doi")[1:]:
        clips.save("doi", part, word, HIP)
    assert not clips.can_speak("doi", HIP)
    answer = await admin.ask(f"{PAGE}/save", language="doi", part=short_parts("doi")[0], sound=spoken())
    assert (answer.json()["speaks"], answer.json()["left_first"]) == (True, 0)
    call = {"token": "M-042", "counter": "M1"}
    assert (await admin.get(f"/board/{HIP}/voice/doi", params=call)).headers["content-type"] == "audio/wav"
    assert (await admin.get(f"/board/{OTHER_HIP}/voice/doi", params=call)).status_code == 204
    for part in short_parts("doi"):
        clips.remove("doi", part, HIP)


async def test_without_its_own_the_hospital_hears_the_services_phrase(admin: Browser, services: Services) -> None:
    services.clips.save("hi", "n1", silence(0.2))
    answer = await admin.ask(f"{PAGE}/save", language="hi", part="n1", sound=spoken())
    assert answer.json()["voice"] == "own"
    answer = await admin.ask(f"{PAGE}/remove", language="hi", part="n1")
    assert answer.json()["voice"] == "common"
    assert (await admin.get(f"{PAGE}/hi/n1")).content == wav(silence(0.2))


@pytest.mark.parametrize(
    ("sound", "sentence"),
    [
        (lambda: base64.b64encode(wav(silence(1.0))).decode(), "Nothing was heard"),
        (lambda: spoken(loud=900), "Too faint"),
        (lambda: spoken(0.05), "Shorter than a word"),
        (lambda: spoken(4.3), "Longer than 4 seconds"),
        (lambda: base64.b64encode(b"\x1aE\xdf\xa3webm").decode(), "no sound that the page can take"),
        (lambda: "", "no sound that the page can take"),
    ],
)
async def test_what_is_no_good_recording_is_refused_in_words(
    admin: Browser, services: Services, sound: Callable[[], str], sentence: str
) -> None:
    answer = await admin.ask(f"{PAGE}/save", language="en", part="n1", sound=sound())
    assert (answer.status_code, sentence in answer.json()["detail"]) == (422, True)
    assert services.clips.names("en", HIP) == frozenset()
    assert [entry for entry in await services.audit.read(HIP) if "voice" in entry.kind] == []


async def test_other_bodies_are_refused(admin: Browser) -> None:
    for language, part in (("en", "go"), ("en", "../n1"), ("xx", "n1"), ("../en", "n1")):
        assert (await admin.ask(f"{PAGE}/save", language=language, part=part, sound=spoken())).status_code == 404
        assert (await admin.ask(f"{PAGE}/remove", language=language, part=part)).status_code == 404
    assert (await admin.ask(f"{PAGE}/save", language="en", part="n1", sound="no base64!")).status_code == 400
    large = "A" * RECORDING_BODY_MAX
    assert (await admin.ask(f"{PAGE}/save", language="en", part="n1", sound=large)).status_code == 413


async def test_clerks_hear_and_change_nothing(clerk: Browser) -> None:
    assert (await clerk.get(PAGE)).status_code == 403
    assert (await clerk.ask(f"{PAGE}/save", language="en", part="n1", sound=spoken())).status_code == 403
    assert (await clerk.ask(f"{PAGE}/remove", language="en", part="n1")).status_code == 403
    assert (await clerk.get(f"{PAGE}/en/n1")).status_code == 403
