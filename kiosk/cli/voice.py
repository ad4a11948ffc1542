"""``kiosk voice``: the clips from which boards speak their calls."""

from pathlib import Path

import click

from kiosk.cli.running import OPERATOR, CommandFailed, a_table, as_json, settings_now, tell, with_store
from kiosk.voice.clips import Clips
from kiosk.voice.parts import ORDERS, all_parts, short_parts
from kiosk.voice.phrases import phrases as phrases_of
from kiosk.voice.recording import RECORDING_MAX_BYTES, BadRecording, recorded
from kiosk.voice.rendering import VOICES, CannotRender, render
from kiosk.voice.sound import HEADER_BYTES, RATE
from queueing.audit import NO_FACILITY, Audit
from queueing.registry import Registry
from queueing.store.store import Store

_DEFAULT = ",".join(code for code in VOICES if code in ("en", "hi", "ur"))


@click.group()
def voice() -> None:
    """Spoken calls: make the clips, take in recordings, see which are there."""


@voice.command()
@click.option("--languages", default=_DEFAULT, show_default=True, help="Codes, joined by commas.")
@as_json
def make(languages: str, json: bool) -> None:
    """Make the clips of these languages with eSpeak NG, and say which languages stay silent.

    eSpeak NG must be installed: Debian's package espeak-ng, or the extra `voice` of this program. It has no voice for
    Kashmiri and Dogri: record them, and take them in with `kiosk voice add`. A hospital's own clips are kept.
    """
    codes = list(dict.fromkeys(code.strip() for code in languages.split(",") if code.strip()))
    if unknown := [code for code in codes if code not in ORDERS]:
        raise click.UsageError(f"no language {', '.join(unknown)}: choose of {', '.join(ORDERS)}")
    clips = Clips(settings_now().data_dir)
    made, silent = {}, {}
    for code in codes:
        try:
            made[code] = render(clips, code)
        except CannotRender as failure:
            silent[code] = str(failure)
    lines = [f"{code}: {count} clips" for code, count in made.items()]
    lines += [f"{code}: silent. {why}" for code, why in silent.items()]
    lines += [f"{code}: silent, it has no clips" for code in _silent(clips) if code not in silent]
    tell(json, {"made": made, "silent": _silent(clips)}, *lines)
    if codes and not made:
        raise CommandFailed("no clips were made; the lines above say why")


@voice.command("list")
@click.option("--facility", "hip", default="", help="The hospital's own voice too, by HIP id.")
@as_json
def list_(hip: str, json: bool) -> None:
    """List the languages: how many clips are there, and whether boards speak it."""
    clips = Clips(settings_now().data_dir)
    rows = [
        {
            "language": code,
            "clips": len(clips.names(code)),
            "own": len(clips.names(code, hip)) if hip else 0,
            "of": len(all_parts(code)),
            "missing": clips.missing(code, hip),
            "speaks": clips.can_speak(code, hip),
        }
        for code in ORDERS
    ]
    table = [
        (str(row["language"]), f"{row['clips']} of {row['of']}", str(row["own"]), "yes" if row["speaks"] else "silent")
        for row in rows
    ]
    tell(json, rows, *a_table(("LANGUAGE", "CLIPS", "OWN", "SPEAKS"), table))


@voice.command()
@click.argument("language", type=click.Choice(tuple(ORDERS)))
@as_json
def phrases(language: str, json: bool) -> None:
    """List what a person says for LANGUAGE: the name of each clip and its words.

    The clips marked * are enough for every call: numbers are then said digit by digit. Record them first.
    """
    first = short_parts(language)
    spoken = phrases_of(language)
    rows = [(part, "*" if part in first else "", spoken[part]) for part in (*first, *sorted(set(spoken) - set(first)))]
    tell(json, [{"clip": part, "first": bool(mark), "words": text} for part, mark, text in rows],
         *a_table(("CLIP", "FIRST", "WORDS"), rows))  # fmt: skip


@voice.command()
@click.argument("language", type=click.Choice(tuple(ORDERS)))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--facility", "hip", default="", help="For this hospital alone, by HIP id. It wins over the service's voice."
)
@as_json
def add(language: str, folder: Path, hip: str, json: bool) -> None:
    """Take recorded clips of LANGUAGE from FOLDER: number.wav, please.wav, letter-m.wav, n7.wav …

    `kiosk voice phrases LANGUAGE` lists the names. Files are 16-bit mono WAV of 22,050 samples a second, of six seconds
    at most. Silence at both ends is cut off, and all clips are made equally loud. Other files are named and left out.
    The audit of the hospital has an entry.
    """
    settings = settings_now()
    clips = Clips(settings.data_dir)
    taken, refused = _recordings(language, folder)
    if taken:
        with_store(settings, lambda store: _record(store, hip, f"{language}: {len(taken)} phrases from files"))
    for part, samples in taken.items():
        clips.save(language, part, samples, hip)
    lines = [f"{language}: {len(taken)} clips taken"]
    lines += [f"{name}: left out, {why}" for name, why in refused.items()]
    missing = [part for part in short_parts(language) if part in clips.missing(language, hip)]
    lines.append(f"{language} still needs: {', '.join(missing)}" if missing else f"{language} speaks")
    tell(json, {"taken": list(taken), "refused": refused, "missing": missing}, *lines)
    if not taken:
        raise CommandFailed("no clip was taken")


@voice.command()
@click.argument("language", type=click.Choice(tuple(ORDERS)))
@click.argument("token")
@click.argument("counter")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--facility", "hip", default="", help="With the voice of this hospital, by HIP id.")
@as_json
def say(language: str, token: str, counter: str, file: Path, hip: str, json: bool) -> None:
    """Write the sound of a call into FILE as WAV: what boards play for TOKEN (M-042) at COUNTER (M1)."""
    sound = Clips(settings_now().data_dir).call(hip, language, token.upper(), counter.upper())
    if sound is None:
        raise CommandFailed(f"{language} has not all clips for this call: see `kiosk voice list`")
    file.write_bytes(sound)
    length = (len(sound) - HEADER_BYTES) / 2 / RATE
    tell(json, {"file": str(file), "seconds": round(length, 2)}, f"{file}: {length:.1f} seconds")


def _recordings(language: str, folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """The samples of each phrase, and for each refused file the reason."""
    taken, refused = {}, {}
    for file in sorted(folder.glob("*.wav")):
        if file.stem not in all_parts(language):
            refused[file.name] = f"{language} has no part {file.stem!r}"
            continue
        try:
            taken[file.stem] = recorded(_read(file))
        except BadRecording as failure:
            refused[file.name] = str(failure)
    return taken, refused


async def _record(store: Store, hip: str, why: str) -> None:
    """The audit has the entry before the clips are there. Phrases of the whole service stand in no facility's audit."""
    if hip and await Registry(store).facility(hip) is None:
        raise CommandFailed(f"no facility {hip}: add it first (kiosk facility add, kiosk facility import)")
    await Audit(store).record(hip or NO_FACILITY, "admin_voice-add", by=OPERATOR.login, why=why)


def _read(file: Path) -> bytes:
    """The file, or a little more than the longest clip: then it is refused as too long."""
    with file.open("rb") as opened:
        return opened.read(RECORDING_MAX_BYTES + 1)


def _silent(clips: Clips) -> list[str]:
    return [code for code in ORDERS if not clips.can_speak(code)]
