"""Keeps the catalogues of ``kiosk/locales`` in step with the template, the code and CLDR. ``make words`` runs it.

A person writes English messages and notes in ``kiosk.pot`` and translations in the ``.po`` files. This program writes
the rest: where the code uses a message, new and changed messages of each language, and the header with its name,
direction, digits, plural rule, weekdays and months from CLDR.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, cast

import click
from babel import Locale, UnknownLocaleError
from babel.messages import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

import kiosk

ROOT: Final = Path(kiosk.__file__).parent
LOCALES: Final = ROOT / "locales"
TEMPLATE: Final = LOCALES / "kiosk.pot"
DOCUMENT: Final = ROOT.parent / "docs" / "languages.md"
DOUBT: Final = "doubt: "
"""How a translator's comment begins that says what a reader of the language should look at."""
GROUPS: Final = "common|board|counter_screen|ticket|push|form|find|home|pairing|poster"
_KEY: Final = re.compile(rf"[\"'`]((?:{GROUPS})\.\w+)[\"'`]")
_NOT_KEYS: Final = re.compile(r"\w+\.html|poster\.png|counter_screen\.(live|step_)")
"""Names of templates and of a module, and the beginning of a key that a template puts together."""
_ZERO: Final = {
    "latn": "0", "deva": "०", "arabext": "۰", "guru": "੦", "beng": "০", "gujr": "૦", "tibt": "༠", "knda": "೦",
    "mlym": "൦", "orya": "୦", "tamldec": "௦", "telu": "౦", "mtei": "꯰", "olck": "᱐",
}  # fmt: skip
"""CLDR's names of numbering systems → the digit zero; the other nine follow it in Unicode. Every language of India's
Eighth Schedule has its own here.
"""

Headers = dict[str, str]


class Catalogue(NamedTuple):
    """One file. Babel's own header has dates, which would differ at each run."""

    header: Headers
    messages: Catalog


def sources() -> list[Path]:
    """The files whose texts patients and halls read, and what puts them together."""
    patterns = (
        "templates/*.html",
        "phone/**/*.html",
        "displays/**/*.html",
        "phone/*.py",
        "displays/*.py",
        "static/js/*.js",
        "delivery/phone_alarms.py",
        "posters/*.py",
    )
    found = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return sorted(
        [*found, *(ROOT / name for name in ("web/templating.py", "web/problems.py", "console/slip_messages.py"))]
    )


def places() -> dict[str, list[str]]:
    """Key → the files that use it. Keys that are put together from parts are missing here."""
    found: dict[str, list[str]] = {}
    for path in sources():
        for key in dict.fromkeys(_KEY.findall(path.read_text("utf-8"))):
            if not _NOT_KEYS.fullmatch(key):
                found.setdefault(key, []).append(str(path.relative_to(ROOT.parent)))
    return found


def header(code: str, now: Headers) -> Headers:
    """The header of a language: facts of CLDR, and what a person wrote there (draft, turn)."""
    locale = Locale.parse(f"{code}_IN")
    systems = cast("Mapping[str, str]", locale.other_numbering_systems)
    zero = ord(_ZERO[systems.get("native", "latn")])
    weekdays, months = locale.days["format"]["wide"], locale.months["format"]["wide"]
    date = re.sub(r"E+", "EEEE", str(locale.datetime_skeletons["MMMMEd"].pattern))
    facts = {
        "Project-Id-Version": "abdm-kiosk",
        "Language": code,
        "Plural-Forms": str(get_plural(locale)),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "X-Language-Name": locale.languages[code],
        "X-Direction": locale.text_direction,
        "X-Digits": "".join(chr(zero + digit) for digit in range(10)),
        "X-Date": date,
        "X-Weekdays": "|".join(weekdays[day] for day in (6, 0, 1, 2, 3, 4, 5)),
        "X-Months": "|".join(months[month] for month in range(1, 13)),
    }
    return facts | {name: now[name] for name in ("X-Turn", "X-Draft") if name in now}


def _own_header(path: Path) -> Headers:
    """The header as it stands in a file. Babel keeps only the fields that it knows."""
    first = path.read_text("utf-8").partition("\n\n")[0]
    return dict(re.findall(r'^"([\w-]+): (.*)\\n"$', first, re.MULTILINE))


def template() -> Catalogue:
    """The template, with the places where the code uses each message."""
    read = read_po(io.BytesIO(TEMPLATE.read_bytes()), abort_invalid=True)
    made = Catalog()
    used = places()
    for message in read:
        if message.id:
            message.locations = [(name, 0) for name in used.get(message.context or "", [])]
            made[message.id] = message
    return Catalogue(header("en", _own_header(TEMPLATE)), made)


def language(path: Path, template: Catalogue) -> Catalogue:
    """One language's catalogue, with each message of the template in its order. The template alone names the files.

    A message whose English changed keeps its translation and is marked *fuzzy*. A message that is gone is dropped.
    """
    code = path.parents[1].name
    before = {message.context: message for message in read_po(io.BytesIO(path.read_bytes()), abort_invalid=True)}
    made = Catalog(locale=Locale.parse(f"{code}_IN"))
    for english in template.messages:
        if english.id:
            made[english.id] = _translated(english, before.get(english.context), made.num_plurals)
    return Catalogue(header(code, _own_header(path)), made)


def _translated(english: Message, old: Message | None, forms: int) -> Message:
    flags = set(english.flags) | (set(old.flags) & {"fuzzy"} if old else set())
    if old and old.string and old.id != english.id:
        flags.add("fuzzy")
    empty = ("",) * forms if english.pluralizable else ""
    return Message(
        english.id,
        old.string if old else empty,
        flags=flags,
        auto_comments=english.auto_comments,
        user_comments=old.user_comments if old else (),
        context=english.context,
    )


def catalogues() -> list[Path]:
    """The files of the languages other than English."""
    return sorted(LOCALES.glob("*/LC_MESSAGES/kiosk.po"))


def text_of(catalogue: Catalogue) -> str:
    """As it stands in the file. Lines are not broken, so that two changes of two messages never meet."""
    file = io.BytesIO()
    write_po(file, catalogue.messages, width=0, include_lineno=False, omit_header=True)
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in catalogue.header.items())
    return f'msgid ""\nmsgstr ""\n{lines}\n{file.getvalue().decode().strip()}\n'


def drawn() -> dict[Path, str]:
    """Each file that this program writes, as it should be."""
    english = template()
    made = {path: language(path, english) for path in catalogues()}
    texts = {TEMPLATE: text_of(english)} | {path: text_of(one) for path, one in made.items()}
    return texts | {DOCUMENT: document({path.parents[1].name: one for path, one in made.items()})}


def document(made: dict[str, Catalogue]) -> str:
    """``docs/languages.md`` with its lists drawn anew."""
    text = DOCUMENT.read_text("utf-8")
    drawn_lists = (("languages", _table(made)), ("doubts", _doubts(made)), ("staff-doubts", _doubts_of_staff()))
    for name, lines in drawn_lists:
        pattern = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub("\n".join(lines).replace("\\", r"\\") + "\n", text)
    return text


def _table(made: dict[str, Catalogue]) -> Iterator[str]:
    yield "| language | code | state | on screens that were given no language |"
    yield "| --- | --- | --- | --- |"
    for code, one in sorted(made.items(), key=lambda pair: (int(pair[1].header.get("X-Turn", 99)), pair[0])):
        state = f"**draft**: {one.header['X-Draft']}" if "X-Draft" in one.header else "a native reader is welcome"
        turn = "takes its turn" if "X-Turn" in one.header else "only where it is chosen"
        yield f"| {one.header['X-Language-Name']} | `{code}` | {state} | {turn} |"


def _doubts(made: dict[str, Catalogue]) -> Iterator[str]:
    for code, one in made.items():
        for message, doubt in _doubtful(one.messages):
            english = message.id if isinstance(message.id, str) else message.id[0]
            yield f"- `{code}` `{message.context}`: {message.string} ({english}): {doubt}"


def _doubts_of_staff() -> Iterator[str]:
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/staff.po")):
        for message, doubt in _doubtful(read_po(io.BytesIO(path.read_bytes()))):
            yield f"- `{path.parents[1].name}` {message.string} ({message.id}): {doubt}"


def _doubtful(messages: Catalog) -> Iterator[tuple[Message, str]]:
    for message in messages:
        for comment in message.user_comments:
            if comment.startswith(DOUBT):
                yield message, comment.removeprefix(DOUBT)


def _new(code: str) -> tuple[Path, str]:
    """The file of a new language, still without messages."""
    try:
        known = header(code, {"X-Draft": "no native speaker has read it"})
    except (ValueError, UnknownLocaleError):
        raise click.BadParameter(f"CLDR knows no language {code!r} of India") from None
    return LOCALES / code / "LC_MESSAGES" / "kiosk.po", text_of(Catalogue(known, Catalog()))


def write(paths: Iterable[tuple[Path, str]]) -> None:
    for path, text in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@click.command()
@click.argument("codes", nargs=-1)
def main(codes: tuple[str, ...]) -> None:
    """Write all catalogues anew. CODES: new languages, which get a file with every message still empty."""
    # It imports this module, and the console, which reads every file of ours: before there is a new one.
    from tests.kiosk.locales import name_fonts, staff

    write((path, text) for path, text in map(_new, codes) if not path.exists())
    write((drawn() | staff.drawn()).items())
    name_fonts.draw()
    for path in [*catalogues(), *staff.catalogues()]:
        read = read_po(io.BytesIO(path.read_bytes()))
        empty = [
            message.context or message.id for message in read if message.id and (not message.string or message.fuzzy)
        ]
        click.echo(f"{path.relative_to(ROOT.parent)}: {len(empty)} of {len(read)} messages wait" + ":" * bool(empty))
        for key in empty:
            click.echo(f"  {key}")


if __name__ == "__main__":
    main()
