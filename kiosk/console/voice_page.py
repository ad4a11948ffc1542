"""The page on which a hospital records its own voice: some forty phrases of a language, then the larger numbers.

A recording is a WAV file that the browser makes. It is judged by its content (``kiosk.voice.recording``), stands in the
audit, and is heard with the next call.
"""

import asyncio
from typing import Final

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Struct, json

from kiosk.accounts.sessions import Session
from kiosk.console import guards, templating, voice_messages
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr, translated
from kiosk.console.lookups import hospital_of
from kiosk.locales import BOOK
from kiosk.voice.clips import Clips
from kiosk.voice.parts import ORDERS, all_parts, short_parts
from kiosk.voice.phrases import phrases
from kiosk.voice.recording import BadRecording, recorded, seconds
from kiosk.voice.sound import wav
from kiosk.web.limits import RECORDING_BODY_MAX
from kiosk.web.page_bodies import read_json
from kiosk.web.security_headers import PAGE
from queueing.audit import Audit
from queueing.registry import Hospital, Registry

WITH_MICROPHONE: Final = {
    **PAGE,
    "Permissions-Policy": PAGE["Permissions-Policy"].replace("microphone=()", "microphone=(self)"),
}
"""This page alone may ask for the microphone."""
SPOKEN: Final = tuple(code for code in BOOK if code in ORDERS)
"""Languages of the boards that a call can be spoken in."""


class Phrase(Struct, frozen=True, kw_only=True):
    """One line of the page."""

    part: str
    words: str
    """As the language writes them."""
    meaning: str
    """The same in English."""
    voice: str
    """``own``, ``common`` (of the whole service) or ``missing``."""


class Recording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page sends."""

    language: str
    part: str
    sound: bytes
    """A WAV file, as base64."""


class Removal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    language: str
    part: str


class Changed(Struct, frozen=True, kw_only=True):
    """What became of a phrase."""

    words: str
    voice: str
    speaks: bool
    left_first: int
    """Missing phrases of those that every call needs."""
    left: int


_recording: Final = json.Decoder(Recording)
_removal: Final = json.Decoder(Removal)


class VoicePage(Controller):
    path = "/console/voice"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry], clips: NamedDependency[Clips],
        language: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """``?language=ks``; without it the first language that boards of this hospital cannot speak."""
        hospital = await hospital_of(session, registry)
        hip = session.facility
        speaks = await asyncio.to_thread(clips.languages, hip, SPOKEN)
        code = language if language in SPOKEN else next((one for one in SPOKEN if one not in speaks), SPOKEN[0])
        first, more = await asyncio.to_thread(_phrases, clips, code, hip)
        answer = templating.page(
            "voice.html", session=session, facility=hospital.facility, book=BOOK[code], code=code, speaks=speaks,
            tongues={one: BOOK[one].name for one in SPOKEN}, first=first, more=more,
            sentences=translated(voice_messages.PAGE),
            sample=_sample(hospital),
        )  # fmt: skip
        answer.headers.update(WITH_MICROPHONE)
        return answer

    @get("/{language:str}/{part:str}", guards=[guards.administrator], include_in_schema=False)
    async def hear(
        self, language: FromPath[str], part: FromPath[str], session: NamedDependency[Session],
        clips: NamedDependency[Clips],
    ) -> Response[bytes]:  # fmt: skip
        """One clip as boards have it: the hospital's own, else the one of the service."""
        if language not in SPOKEN or part not in all_parts(language):
            raise NotFoundException
        samples = await asyncio.to_thread(_samples, clips, language, part, session.facility)
        if samples is None:
            raise NotFoundException
        return Response(wav(samples), media_type="audio/wav", headers=PAGE)

    @post("/save", guards=[guards.administrator], status_code=200, include_in_schema=False)
    async def save(
        self, request: ConsoleRequest, session: NamedDependency[Session], clips: NamedDependency[Clips],
        audit: NamedDependency[Audit],
    ) -> Response[Changed] | Response[dict[str, str]]:  # fmt: skip
        """Take one recording. The audit has its entry before the clip is written."""
        sent = await read_json(request, _recording, RECORDING_BODY_MAX)
        phrase = _phrase(sent.language, sent.part)
        try:
            samples = await asyncio.to_thread(recorded, sent.sound)
        except BadRecording as wrong:
            return Response({"detail": tr(voice_messages.FAULTS[wrong.fault])}, status_code=422, headers=PAGE)
        await _record(audit, request, session, "admin_voice-add", sent.language, sent.part)
        await asyncio.to_thread(clips.save, sent.language, sent.part, samples, session.facility)
        text = tr(voice_messages.SAVED).format(words=phrase, seconds=seconds(samples))
        return await _changed(clips, session.facility, sent.language, sent.part, text)

    @post("/remove", guards=[guards.administrator], status_code=200, include_in_schema=False)
    async def remove(
        self, request: ConsoleRequest, session: NamedDependency[Session], clips: NamedDependency[Clips],
        audit: NamedDependency[Audit],
    ) -> Response[Changed] | Response[dict[str, str]]:  # fmt: skip
        """Take one recording of this hospital away. The clip of the service is heard again, if there is one."""
        sent = await read_json(request, _removal)
        phrase = _phrase(sent.language, sent.part)
        if sent.part not in await asyncio.to_thread(clips.names, sent.language, session.facility):
            return Response({"detail": tr(voice_messages.NOT_OWN)}, status_code=422, headers=PAGE)
        await _record(audit, request, session, "admin_voice-remove", sent.language, sent.part)
        await asyncio.to_thread(clips.remove, sent.language, sent.part, session.facility)
        text = tr(voice_messages.REMOVED).format(words=phrase)
        return await _changed(clips, session.facility, sent.language, sent.part, text)


async def _record(
    audit: Audit, request: ConsoleRequest, session: Session, kind: str, language: str, part: str
) -> None:  # fmt: skip
    address = guards.address_of(request)
    await audit.record(session.facility, kind, by=session.login, address=address, why=f"{language} {part}")


async def _changed(clips: Clips, hip: str, language: str, part: str, text: str) -> Response[Changed]:
    missing = await asyncio.to_thread(clips.missing, language, hip)
    left_first = len(set(missing).intersection(short_parts(language)))
    voice = await asyncio.to_thread(_voice_of, clips, language, part, hip)
    changed = Changed(words=text, voice=voice, speaks=not left_first, left_first=left_first, left=len(missing))
    return Response(changed, headers=PAGE)


def _voice_of(clips: Clips, language: str, part: str, hip: str) -> str:
    if part in clips.names(language, hip):
        return "own"
    return "common" if part in clips.names(language) else "missing"


def _phrase(language: str, part: str) -> str:
    """The words of a phrase. Raises NotFoundException for what is none."""
    if language not in SPOKEN or part not in all_parts(language):
        raise NotFoundException
    return phrases(language)[part]


def _samples(clips: Clips, language: str, part: str, hip: str) -> bytes | None:
    return clips.read(language, part, hip) or clips.read(language, part)


def _phrases(clips: Clips, language: str, hip: str) -> tuple[list[Phrase], list[Phrase]]:
    """What every call needs, and the rest, each in the order in which it is recorded."""
    own, common, english = clips.names(language, hip), clips.names(language), phrases("en")
    first = short_parts(language)
    rows = {
        part: Phrase(
            part=part, words=phrase, meaning=english.get(part) or tr(voice_messages.END),
            voice="own" if part in own else "common" if part in common else "missing",
        )
        for part, phrase in phrases(language).items()
    }  # fmt: skip
    return [rows[part] for part in first], [row for part, row in rows.items() if part not in first]


def _sample(hospital: Hospital) -> dict[str, str]:
    """A call that could come: a number of the first queue, and the first counter."""
    prefix = hospital.queues[0].prefix if hospital.queues else "M"
    counter = hospital.counters[0].name if hospital.counters else "M1"
    return {"token": f"{prefix}-042", "counter": counter}
