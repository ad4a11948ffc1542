"""Sentences that staff announce, read aloud by eSpeak NG: one at a time, and each once in a process."""

import threading
from collections import OrderedDict
from typing import Final

from kiosk.voice.rendering import VOICES, CannotRender, render_text
from kiosk.voice.sound import wav

TEXTS_KEPT: Final = 32
"""Of some 400 kB each: the announcements of a few facilities."""


class SpokenTexts:
    """The sounds of one process."""

    def __init__(self) -> None:
        self._sounds: OrderedDict[tuple[str, str], bytes | None] = OrderedDict()
        self._lock = threading.Lock()
        """Held while eSpeak NG runs: every board of a hall asks in the same second."""

    def sound(self, language: str, text: str) -> bytes | None:
        """WAV; None where no voice of this machine speaks the language. Runs up to a second: call it in a thread."""
        if language not in VOICES:
            return None
        with self._lock:
            key = (language, text)
            if key not in self._sounds:
                self._sounds[key] = _rendered(language, text)
                while len(self._sounds) > TEXTS_KEPT:
                    self._sounds.popitem(last=False)
            self._sounds.move_to_end(key)
            return self._sounds[key]


def _rendered(language: str, text: str) -> bytes | None:
    try:
        return wav(render_text(language, text))
    except CannotRender:
        return None
