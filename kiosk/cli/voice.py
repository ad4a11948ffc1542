"""``kiosk voice``: the clips from which boards speak their calls."""

import click

from kiosk.cli.running import CommandFailed, a_table, as_json, settings_now, tell
from kiosk.voice.clips import Clips
from kiosk.voice.parts import ORDERS, all_parts
from kiosk.voice.rendering import VOICES, CannotRender, render

_DEFAULT = ",".join(code for code in VOICES if code in ("en", "hi", "ur"))


@click.group()
def voice() -> None:
    """Spoken calls: make the clips, or see which are there."""


@voice.command()
@click.option("--languages", default=_DEFAULT, show_default=True, help="Codes, joined by commas.")
@as_json
def make(languages: str, json: bool) -> None:
    """Make the clips of these languages with eSpeak NG, and say which languages stay silent.

    eSpeak NG must be installed: Debian's package espeak-ng, or the extra `voice` of this program. It has no voice for
    Kashmiri and Dogri: put recordings into voice/LANGUAGE/PART.wav of the data folder. A hospital's own clips are kept.
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


def _silent(clips: Clips) -> list[str]:
    return [code for code in ORDERS if not clips.can_speak(code)]
