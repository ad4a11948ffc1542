"""Several languages, one set of messages."""

import io
import re
import string
import unicodedata
from pathlib import Path

import msgspec
import pytest
from babel import Locale
from babel.messages.pofile import read_po

from kiosk.locales import BOOK, ENGLISH, LANGUAGES, ROTATION, choose, several
from kiosk.locales.catalogue import NotUnderstood, read_catalogue
from tests.kiosk.locales import name_fonts
from tests.kiosk.locales.catalogues import DOUBT, ROOT, TEMPLATE, catalogues, drawn, places

STATES = ["expected", "waiting", "called", "serving", "held", "no_show", "done", "cancelled", "lapsed"]
STEPS = ["open", "scan", "share", "number"]
FIELD_FAULTS = [
    "name_missing",
    "name_long",
    "name_odd",
    "age_missing",
    "age_odd",
    "gender_missing",
    "phone_odd",
    "consent_missing",
    "female",
    "male",
    "other",
    "busy",
    "closed",
    "fix",
]
MADE_OF_PARTS = {
    *(f"ticket.{state}" for state in STATES),
    *(f"ticket.{state}_do" for state in STATES),
    *(f"counter_screen.step_{step}" for step in STEPS),
    *(f"form.{fault}" for fault in FIELD_FAULTS),
    *(f"find.{trouble}" for trouble in ("number_odd", "fix", "not_found", "too_many", "away")),
    "form.pace",
    "form.device",
}
"""Keys that templates and scripts put together from a state, a step or a fault."""
CATALOGUES = {path.parents[1].name: path for path in catalogues()}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_catalogues_are_as_make_words_writes_them() -> None:
    """When this fails: run `make words`. A message is new, gone or changed, or used elsewhere."""
    stale = [str(path) for path, text in drawn().items() if path.read_text("utf-8") != text]
    assert not stale, "run make words"


@pytest.mark.parametrize("code", CATALOGUES)
def test_every_language_translates_each_message_and_nothing_more(code: str) -> None:
    read = read_catalogue(CATALOGUES[code])
    assert read.english == read_catalogue(TEMPLATE).english
    assert read.english.keys() - read.translated.keys() == set(), "empty or fuzzy"


@pytest.mark.parametrize("path", [TEMPLATE, *CATALOGUES.values()], ids=lambda path: path.parts[-3])
def test_a_catalogue_is_read_as_babel_reads_it(path: Path) -> None:
    theirs = read_po(io.BytesIO(path.read_bytes()), abort_invalid=True)
    ours = read_catalogue(path)
    assert ours.english == {one.context: (one.id,) for one in theirs if one.id}
    assert ours.translated == {one.context: (one.string,) for one in theirs if one.id and one.string}


EXAMPLE = r"""
msgid ""
msgstr ""
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n==2 ? 1 : 2);\n"
"X-Turn: 4\n"

#. a note
#: kiosk/somewhere.py
msgctxt "a.lines"
msgid ""
"Say \"one\"\t\\n"
" and two.\n"
msgstr "x"

#, fuzzy
msgctxt "a.old"
msgid "Old"
msgstr "y"

msgctxt "a.new"
msgid "New"
msgstr ""

#, python-brace-format
msgctxt "a.many"
msgid "{count} person"
msgid_plural "{count} people"
msgstr[0] "{count} one"
msgstr[1] "{count} two"
msgstr[2] "{count} more"

#~ msgctxt "a.gone"
#~ msgid "Gone"
#~ msgstr "z"
"""


def test_lines_escapes_plurals_and_marks_of_a_catalogue_are_understood(tmp_path: Path) -> None:
    (tmp_path / "xx.po").write_text(EXAMPLE)
    read = read_catalogue(tmp_path / "xx.po")
    assert read.header["x-turn"] == "4"
    assert read.english["a.lines"] == ('Say "one"\t\\n and two.\n',)
    assert read.english["a.many"] == ("{count} person", "{count} people")
    assert read.translated == {"a.lines": ("x",), "a.many": ("{count} one", "{count} two", "{count} more")}
    assert [read.plural()(count) for count in (0, 1, 2, 3)] == [2, 0, 1, 2]


@pytest.mark.parametrize("line", ['msgtext "a"', 'msgstr "a', "msgstr a", "<<<<<<< HEAD"])
def test_a_damaged_catalogue_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "xx.po").write_text(f'msgid ""\nmsgstr ""\n{line}\n')
    with pytest.raises(NotUnderstood, match="line 3"):
        read_catalogue(tmp_path / "xx.po")


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_message_that_counts_takes_the_plural_form_of_its_language(code: str) -> None:
    messages = BOOK[code]
    counting = msgspec.structs.replace(messages, plurals={"a.many": ("{count} one", "{count} other")})
    theirs = Locale.parse(f"{code}_IN").plural_form
    for count in (0, 1, 2, 5, 11, 21, 101):
        assert counting.say("a.many", count=count) == f"{count} {theirs(count)}"


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_fills_the_same_gaps(code: str) -> None:
    for key, text in BOOK[code].texts.items():
        assert placeholders(text) == placeholders(ENGLISH.texts[key]), key


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_words_are_missing_or_carry_markup_or_look_like_a_copy(code: str) -> None:
    for key, text in BOOK[code].texts.items():
        assert text.strip() == text != "", key
        assert not set("<>&") & set(text), key
        if code != "en":
            assert text != ENGLISH.texts[key], key


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_language_is_written_in_its_own_script(code: str) -> None:
    script = unicodedata.name(BOOK[code].name[0]).split()[0]
    for key, message in BOOK[code].texts.items():
        text = re.sub(r"\{\w+\}|ABHA|HIP|ʼ", "", message)
        assert {unicodedata.name(sign).split()[0] for sign in text if sign.isalpha()} == {script}, key


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_ten_digits_and_a_direction(code: str) -> None:
    assert [str(int(digit)) for digit in BOOK[code].native_digits] == list(string.digits)
    assert BOOK[code].direction == Locale.parse(f"{code}_IN").text_direction


def test_pages_ask_only_for_words_that_exist_and_every_word_is_asked_for() -> None:
    assert places().keys() | MADE_OF_PARTS == ENGLISH.texts.keys()


def test_every_message_says_to_translators_where_it_is_seen() -> None:
    for message in read_po(io.BytesIO(TEMPLATE.read_bytes())):
        assert not message.id or message.auto_comments, message.context


def test_a_draft_lists_what_its_reader_should_look_at() -> None:
    drafts = [code for code, messages in BOOK.items() if messages.draft]
    assert {"ks", "doi"} <= set(drafts)
    for code in drafts:
        assert f"\n# {DOUBT}" in CATALOGUES[code].read_text("utf-8"), code


@pytest.mark.parametrize(
    ("wanted", "preferred", "code"),
    [
        ("ur", "hi", "ur"),
        ("", "ks-IN,en;q=0.8", "ks"),
        ("", "en;q=0.5,doi;q=0.9", "doi"),
        ("", "fr, de;q=0.9, hi;q=0.1", "hi"),
        ("", "hi;q=0, ur;q=0.2", "ur"),
        ("xx", "fr", "en"),
        ("", "", "en"),
        ("", "hi;q=much, ur", "ur"),
        ("", "," * 100_000 + "hi", "en"),
    ],
)
def test_the_address_chooses_before_the_browser_and_english_is_left_over(
    wanted: str, preferred: str, code: str
) -> None:
    assert choose(wanted, preferred).code == code


def test_a_screen_takes_turns_in_the_languages_it_was_given_or_in_the_official_ones() -> None:
    assert several("ur,en,ur,xx") == ("ur", "en")
    assert several("") == several("xx") == ROTATION == ("en", "hi", "ur", "ks", "doi")


@pytest.mark.parametrize("code", [code for code in LANGUAGES if BOOK[code].direction == "rtl"])
def test_every_language_in_nastaliq_has_its_line_height(code: str) -> None:
    """Nastaliq hangs far below its line: without a rule it is cut off on the screens."""
    base = (ROOT / "static" / "css" / "base.css").read_text("utf-8")
    assert f":lang({code})" in base, "add the language to its script's rule in static/css/base.css"


@pytest.mark.parametrize(("script", "needed"), list(name_fonts.wanted()))
def test_the_small_font_of_a_script_is_enough_for_the_names_of_its_languages(script: str, needed: set[int]) -> None:
    assert name_fonts.drawn(script) == needed
    assert name_fonts.file_of(script).stat().st_size < 13_000
