"""Makes the clips of a language with eSpeak NG, which runs as a program of its own."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from kiosk.voice.clips import Clips
from kiosk.voice.phrases import phrases
from kiosk.voice.sound import NotSound, samples_of, tidied

VOICES: Final = {"en": "en", "hi": "hi", "ur": "ur", "pa": "pa"}
"""Language → eSpeak NG's voice. It has none for Kashmiri and Dogri. ``en`` is British, nearest to Indian English."""
AS_WORDS: Final = {("hi", "n94"): "चौरानवे", ("ur", "n93"): "ترانوے"}
"""Numbers that eSpeak NG misreads from digits: it says *chaurāmbe* and *tithānwe*."""
PROGRAM: Final = "espeak-ng"
WHEEL: Final = "espeakng_loader"
SPEED: Final = 140
"""Words a minute; eSpeak NG's own is 175. A hall echoes, and many listeners are old."""
RENDERED_WITHIN_S: Final = 120
"""A language takes one to three seconds; a busy machine with one core takes some twenty."""

TEXT_MAX_S: Final = 20
"""An announcement (``queueing.announcement``) takes ten."""

Lines = Sequence[tuple[str, str]]
"""Text, and the file for its sound."""


class CannotRender(Exception):
    """No clips were made. ``str`` says why and what to do."""


def renderer() -> str:
    """What would make the clips: ``espeak-ng`` on the path, else the wheel; empty where neither is installed."""
    if shutil.which(PROGRAM):
        return PROGRAM
    return WHEEL if find_spec(WHEEL) else ""


def render(clips: Clips, language: str) -> int:
    """Make every clip of this language for the whole service. Returns how many. Raises CannotRender."""
    if language not in VOICES:
        raise CannotRender(
            f"eSpeak NG has no voice for {language}: record its clips, see `kiosk voice phrases {language}`"
        )
    with tempfile.TemporaryDirectory(prefix="kiosk-voice-") as folder:
        files = {part: Path(folder) / f"{part}.wav" for part in phrases(language)}
        spoken = {part: AS_WORDS.get((language, part), text) for part, text in phrases(language).items()}
        _run(language, [(text, str(files[part])) for part, text in spoken.items()])
        for part, file in files.items():
            try:
                clips.save(language, part, tidied(samples_of(file.read_bytes())))
            except (OSError, NotSound) as failure:
                raise CannotRender(f"eSpeak NG made no sound for {language}/{part}: {failure}") from failure
    return len(files)


def render_text(language: str, text: str) -> bytes:
    """The samples of one sentence, of 20 seconds at most. Raises CannotRender."""
    with tempfile.TemporaryDirectory(prefix="kiosk-voice-") as folder:
        file = Path(folder) / "text.wav"
        _run(language, [(text.replace("[[", ""), str(file))])  # two brackets would begin phonemes
        try:
            return tidied(samples_of(file.read_bytes(), TEXT_MAX_S))
        except (OSError, NotSound) as failure:
            raise CannotRender(f"eSpeak NG made no sound: {failure}") from failure


def _run(language: str, lines: Lines) -> None:
    found = renderer()
    if not found:
        raise CannotRender(
            "eSpeak NG is not installed: apt-get install espeak-ng, or pip install 'abdm-kiosk[voice]'; then again"
        )
    try:
        if found == PROGRAM:
            for text, file in lines:
                _start([PROGRAM, "-v", VOICES[language], "-s", str(SPEED), "-w", file, "--", text], "")
        else:
            job = {"voice": VOICES[language], "speed": SPEED, "lines": lines}
            _start([sys.executable, str(Path(__file__).with_name("espeak_wheel.py"))], json.dumps(job))
    except subprocess.TimeoutExpired as failure:
        raise CannotRender(f"eSpeak NG did not finish {language} in {RENDERED_WITHIN_S} s") from failure
    except subprocess.CalledProcessError as failure:
        reason = (failure.stderr or "").strip()[-200:] or f"exit code {failure.returncode}"
        raise CannotRender(f"eSpeak NG failed for {language}: {reason}") from failure


def _start(command: list[str], lines: str) -> None:
    subprocess.run(command, input=lines, text=True, capture_output=True, check=True, timeout=RENDERED_WITHIN_S)
