"""``/console/words``: an administrator corrects a sentence of the screens, for the own facility and at once.

What was corrected can be taken back, and exported as a gettext catalogue: whoever maintains the kiosk takes it from
there for every hospital.
"""

import time
from typing import Final
from urllib.parse import quote, urlencode

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import correction_messages as messages
from kiosk.console import guards, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr, translated
from kiosk.console.lookups import hospital_of
from kiosk.locales import BOOK
from kiosk.locales.corrections import (
    CORRECTABLE,
    FIXED,
    ONLY_EXPORTED,
    Entry,
    Unfit,
    check,
    contribution,
    entries_of,
    source_mark,
    stands,
)
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from kiosk.web.path_prefix import url
from kiosk.web.security_headers import PAGE
from queueing.corrected_sentences import CorrectedSentences, TooManyCorrections
from queueing.corrections import CORRECTION_MAX, FORMS_MAX, Correction, Corrections
from queueing.display_text import display_text
from queueing.registry import Hospital, Registry

FIND_MAX: Final = 100
"""Characters of a text that is searched for."""
KEY_MAX: Final = 65


class Wanted(Struct, frozen=True, kw_only=True):
    """What the page lists: a language, which of its sentences, and a text in them."""

    language: str
    which: str
    find: str

    def query(self, done: str) -> str:
        """Of the page that lists it, after something was done."""
        fields = {"language": self.language, "which": self.which, "find": self.find, "done": done}
        return urlencode({name: value for name, value in fields.items() if value})


class Row(Struct, frozen=True, kw_only=True):
    """One sentence on the page."""

    entry: Entry
    correction: Correction | None
    stands: bool
    """Whether the correction is of this release's sentence."""
    forms: tuple[str, ...]
    """What stands in the form."""
    preview: str = ""
    """Address of a page that shows it; empty: none without a patient's link."""
    preview_name: str = ""
    fixed: bool = False
    only_exported: bool = False


class Refused(Struct, frozen=True, kw_only=True):
    """A form that was not taken: nothing that was typed is lost."""

    key: str
    forms: tuple[str, ...]
    trouble: str
    status: int = 422


class CorrectionsPage(Controller):
    path = "/console/words"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry],
        settings: NamedDependency[Settings], language: FromQuery[str] = "", which: FromQuery[str] = "",
        find: FromQuery[str] = "", done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        wanted = _wanted({"language": language, "which": which, "find": find})
        hospital = await hospital_of(session, registry)
        return _page(session, hospital, wanted, settings, message=tr(messages.DONE.get(done, "")))

    @get("/{language:str}/export", guards=[guards.administrator], include_in_schema=False)
    async def export(
        self, language: FromPath[str], session: NamedDependency[Session], registry: NamedDependency[Registry]
    ) -> Response[str]:
        """The corrections of a language as a gettext catalogue."""
        if language not in CORRECTABLE:
            raise NotFoundException
        hospital = await hospital_of(session, registry)
        name = {"Content-Disposition": f'attachment; filename="kiosk-{language}.po"'}
        text = contribution(language, hospital.facility.corrections)
        return Response(text, media_type="text/x-gettext-translation", headers={**PAGE, **name})

    @post("/{act:str}", guards=[guards.administrator], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry], settings: NamedDependency[Settings],
        corrected_sentences: NamedDependency[CorrectedSentences],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Correct a sentence, or take its correction back."""
        if act not in messages.DONE:
            raise NotFoundException
        form, actor = await read_form(request), guards.actor_of(request, session)
        wanted, key, hospital = _wanted(form), form.get("key", "")[:KEY_MAX], await hospital_of(session, registry)
        why = f"{wanted.language} {key}"
        if act == "take-back":
            if not await corrected_sentences.take_back(session.facility, why, act=actor.act("admin_word-back", why)):
                raise NotFoundException
            return templating.go(f"/console/words?{wanted.query(act)}#{key}")
        forms = _typed(form)
        try:
            correction = _correction(wanted.language, key, forms, session.login)
            recorded = actor.act("admin_word-correct", why)
            await corrected_sentences.correct(session.facility, correction, act=recorded)
        except Unfit as wrong:
            trouble = tr(messages.TROUBLE[wrong.kind]).replace("{names}", wrong.names)
            refused = Refused(key=key, forms=forms, trouble=trouble)
            return _page(session, hospital, wanted, settings, refused=refused)
        except TooManyCorrections:
            refused = Refused(key=key, forms=forms, trouble=tr(messages.TROUBLE["full"]), status=409)
            return _page(session, hospital, wanted, settings, refused=refused)
        return templating.go(f"/console/words?{wanted.query(act)}#{key}")


def _wanted(form: dict[str, str]) -> Wanted:
    """The language with most doubts first: that is where a reader is needed."""
    language = form.get("language", "")
    if language not in CORRECTABLE:
        language = max(CORRECTABLE, key=lambda code: (BOOK[code].draft, len(_doubtful(code))))
    which = form.get("which", "")
    if which not in messages.SHOWN:
        which = "doubtful" if _doubtful(language) else "all"
    return Wanted(language=language, which=which, find=display_text(form.get("find", ""), FIND_MAX))


def _doubtful(code: str) -> list[Entry]:
    return [entry for entry in entries_of(code) if entry.doubt]


def _typed(form: dict[str, str]) -> tuple[str, ...]:
    """The sentence, or each of its plural forms, as one line of plain text. One character too many is not cut."""
    names = [f"form{at}" for at in range(FORMS_MAX) if f"form{at}" in form]
    return tuple(display_text(form[name], CORRECTION_MAX * 2) for name in names)


def _correction(language: str, key: str, forms: tuple[str, ...], login: str) -> Correction:
    """Raises Unfit."""
    check(language, key, forms)
    now_ms = time.time_ns() // 1_000_000
    return Correction(language=language, key=key, forms=forms, source=source_mark(key), by=login, at_ms=now_ms)


def _rows(hospital: Hospital, wanted: Wanted, refused: Refused | None) -> list[Row]:
    corrected = hospital.facility.corrections.of(wanted.language)
    rows = [_row(entry, corrected.get(entry.key), hospital, wanted, refused) for entry in entries_of(wanted.language)]
    return [row for row in rows if _is_wanted(row, wanted) or (refused and row.entry.key == refused.key)]


def _row(
    entry: Entry, correction: Correction | None, hospital: Hospital, wanted: Wanted, refused: Refused | None
) -> Row:
    group = entry.key.partition(".")[0]
    preview = _preview(group, hospital, wanted.language)
    forms = correction.forms if correction else entry.forms
    return Row(
        entry=entry, correction=correction, stands=correction is not None and stands(correction),
        forms=refused.forms if refused and refused.key == entry.key and refused.forms else forms,
        preview=preview, preview_name=tr(messages.PREVIEWS[group]) if preview else "", fixed=entry.key in FIXED,
        only_exported=entry.key.startswith(ONLY_EXPORTED),
    )  # fmt: skip


def _preview(group: str, hospital: Hospital, language: str) -> str:
    hip = quote(hospital.facility.hip_id, safe="")
    counter = quote(hospital.counters[0].name, safe="") if hospital.counters else ""
    addresses = {"board": url(f"/board/{hip}?lang={language}"), "find": url(f"/find/{hip}?lang={language}")}
    if counter:
        addresses["counter_screen"] = url(f"/kiosk/{hip}/{counter}?lang={language}")
    return addresses.get(group, "")


def _is_wanted(row: Row, wanted: Wanted) -> bool:
    entry, correction = row.entry, row.correction
    if wanted.which == "doubtful" and not entry.doubt:
        return False
    if wanted.which == "corrected" and correction is None:
        return False
    texts = (entry.key, *entry.english, *entry.forms, *(correction.forms if correction else ()))
    return any(wanted.find.casefold() in text.casefold() for text in texts)


def _counts(corrections: Corrections) -> dict[str, int]:
    """Corrections of each language."""
    return {code: len(corrections.of(code)) for code in CORRECTABLE}


def _page(
    session: Session, hospital: Hospital, wanted: Wanted, settings: Settings, *, message: str = "",
    refused: Refused | None = None,
) -> Response[str]:  # fmt: skip
    return templating.page(
        "corrections.html", session=session, status=refused.status if refused else 200, facility=hospital.facility,
        wanted=wanted, book=BOOK[wanted.language], tongues={code: BOOK[code] for code in CORRECTABLE},
        counts=_counts(hospital.facility.corrections), rows=_rows(hospital, wanted, refused),
        doubts=len(_doubtful(wanted.language)), shown=translated(messages.SHOWN), message=message, trouble="",
        refused=refused, longest=CORRECTION_MAX, zone=hospital.zone(settings.timezone),
    )  # fmt: skip
