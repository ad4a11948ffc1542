"""Which corrections fit, what a facility then reads, and the file that takes them to every other one."""

import io
from collections.abc import Sequence
from itertools import count

import msgspec
import pytest
from babel.messages.pofile import read_po

from kiosk import locales
from kiosk.locales import BOOK, ENGLISH
from kiosk.locales.corrections import (
    CORRECTABLE,
    FIXED,
    Unfit,
    check,
    contribution,
    entries_of,
    own_books,
    own_messages,
    source_mark,
)
from queueing.corrections import CORRECTION_MAX, NO_CORRECTIONS, Correction, Corrections

_changes = count(1)


def corrected(*entries: tuple[str, str, str]) -> Corrections:
    """Corrections of (language, key, sentence)."""
    return Corrections(changes=next(_changes), entries=tuple(
        Correction(language=code, key=key, forms=(text,), source=source_mark(key), by="imran", at_ms=1)
        for code, key, text in entries
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("key", "form", "kind", "names"),
    [
        ("board.closed", "", "empty", ""),
        ("board.closed", BOOK["hi"].texts["board.closed"], "same", ""),
        ("board.closed", "x" * (CORRECTION_MAX + 1), "long", ""),
        ("board.nothing", "x", "unknown", ""),
        ("form.consent", "x", "fixed", ""),
        ("board.closed", "बंद {counter}", "foreign", "{counter}"),
        ("board.spoken", "नंबर {token}", "missing", "{counter}"),
        ("board.spoken", "{token} {counter} {", "braces", ""),
        ("board.spoken", "{token} {counter:>99999999}", "braces", ""),
        ("board.spoken", "{token} {counter.__class__}", "braces", ""),
        ("board.spoken", "{token} {{counter}} {counter}", "braces", ""),
        ("board.spoken", "{token} {counter!r}", "braces", ""),
        ("board.spoken", "{token} {}", "braces", ""),
    ],
)
def test_what_cannot_stand_in_place_of_a_sentence_is_named(key: str, form: str, kind: str, names: str) -> None:
    with pytest.raises(Unfit) as wrong:
        check("hi", key, [form])
    assert (wrong.value.kind, wrong.value.names) == (kind, names)


def test_each_plural_form_has_the_placeholders_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    hindi = msgspec.structs.replace(
        BOOK["hi"],
        plurals={"ticket.ahead": ("एक", "{count} लोग")},
        texts=BOOK["hi"].texts | {"ticket.ahead": "{count} लोग"},
    )
    monkeypatch.setitem(locales.BOOK, "hi", hindi)
    check("hi", "ticket.ahead", ["एक व्यक्ति", "{count} व्यक्ति"])
    wrong: Sequence[Sequence[str]] = (["{count} व्यक्ति"], ["{count} व्यक्ति", "{count} लोग"], ["एक", "लोग"])
    for forms in wrong:
        with pytest.raises(Unfit):
            check("hi", "ticket.ahead", forms)
    entry = Correction(
        language="hi", key="ticket.ahead", forms=("एक व्यक्ति", "{count} व्यक्ति"), source=source_mark("ticket.ahead"),
        by="imran", at_ms=1,
    )  # fmt: skip
    own = own_messages("hi", Corrections(changes=next(_changes), entries=(entry,)))
    assert [own.say("ticket.ahead", count=one) for one in (1, 7)] == ["एक व्यक्ति", "7 व्यक्ति"]


def test_a_facility_reads_its_corrections_and_nobody_else_does() -> None:
    mine = corrected(("ks", "board.closed", "بَنٛد چھُ"))
    assert own_messages("ks", mine).say("board.closed") == "بَنٛد چھُ"
    assert own_messages("ks", mine).say("board.next") == BOOK["ks"].say("board.next")
    assert own_messages("hi", mine).texts == BOOK["hi"].texts
    assert own_messages("ks", NO_CORRECTIONS) is BOOK["ks"]
    assert own_books(("ks", "en"), mine, "board")["ks"]["board.closed"] == "بَنٛد چھُ"
    assert own_books(("ks", "en"), mine, "board")["en"] == ENGLISH.book("board")


def test_a_correction_that_no_longer_fits_is_not_shown() -> None:
    good = corrected(("hi", "board.closed", "बंद है")).entries[0]
    for wrong in (
        {"source": "of another sentence"}, {"key": "board.gone"}, {"forms": ("{counter}",)}, {"language": "en"},
        {"language": "xx"},
    ):  # fmt: skip
        stored = Corrections(changes=next(_changes), entries=(msgspec.structs.replace(good, **wrong),))
        assert own_messages("hi", stored).texts == BOOK["hi"].texts
        assert own_messages("en", stored).texts == ENGLISH.texts


@pytest.mark.parametrize("code", CORRECTABLE)
def test_every_sentence_says_where_it_is_seen(code: str) -> None:
    entries = entries_of(code)
    assert {entry.key for entry in entries} == ENGLISH.texts.keys() >= FIXED
    assert all(entry.seen and "docs/" not in entry.seen and entry.forms[0] for entry in entries)
    assert any(entry.note for entry in entries)


def test_the_contribution_holds_the_corrections_alone_and_babel_reads_it() -> None:
    odd = 'نمبر {token}, "کاونٹر" {counter} \\'
    mine = corrected(("ks", "board.closed", "بَنٛد چھُ"), ("ks", "board.spoken", odd), ("hi", "board.closed", "बंद है"))
    read = read_po(io.BytesIO(contribution("ks", mine).encode()), abort_invalid=True)
    assert {one.context: (one.id, one.string) for one in read if one.id} == {
        "board.closed": ("Closed", "بَنٛد چھُ"), "board.spoken": (ENGLISH.texts["board.spoken"], odd),
    }  # fmt: skip
    assert (str(read.locale), read.num_plurals) == ("ks", 2)
    assert "imran" not in contribution("ks", mine)
