"""The clips in the data folder, and the joined sound of a call.

``voice/<language>/<part>.wav`` is the voice of the whole service. ``voice/<digest of the HIP id>/<language>/…`` is a
hospital's own voice, which wins. Every process reads the same files; a change is heard with the next call.
"""

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kiosk.voice.parts import ORDERS, PAUSE, all_parts, parts_with, short_parts
from kiosk.voice.sound import NotSound, joined, samples_of, wav

FOLDER: Final = "voice"
CACHE_BYTES: Final = 8 << 20
"""Some fifty calls of 150 kB in each process: every board of a hall asks for the same call in the same seconds."""
_DIGEST_BYTES: Final = 16
"""No two of some thousand hospitals share 128 bits. A HIP id itself may hold characters that no file name may."""

Key = tuple[str, str, str, str, tuple[int, ...]]


class Clips:
    """The clips of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER
        self._cache: OrderedDict[Key, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()
        """Calls are joined in threads."""

    def folder(self, language: str, hip: str = "") -> Path:
        """Where a language's clips are: of the whole service, or of one hospital."""
        if language not in ORDERS:
            raise ValueError(f"no language {language!r} is spoken")
        owner = hashlib.blake2b(hip.encode(), digest_size=_DIGEST_BYTES).hexdigest() if hip else ""
        return self._root / owner / language

    def names(self, language: str, hip: str = "") -> frozenset[str]:
        """The parts whose clips are there."""
        try:
            with os.scandir(self.folder(language, hip)) as entries:
                found = {entry.name.removesuffix(".wav") for entry in entries if entry.name.endswith(".wav")}
        except OSError:
            return frozenset()
        return frozenset(found.intersection(all_parts(language)))

    def missing(self, language: str, hip: str = "") -> list[str]:
        """The parts without a clip, the hospital's own voice and the service's taken together."""
        here = self.names(language) | (self.names(language, hip) if hip else frozenset())
        return [part for part in all_parts(language) if part not in here]

    def can_speak(self, language: str, hip: str = "") -> bool:
        """Whether every call can be spoken in this language, numbers perhaps digit by digit."""
        return language in ORDERS and not set(self.missing(language, hip)).intersection(short_parts(language))

    def languages(self, hip: str, codes: Iterable[str]) -> list[str]:
        """Those of these languages that can be spoken in this hospital."""
        return [code for code in codes if self.can_speak(code, hip)]

    def save(self, language: str, part: str, samples: bytes, hip: str = "") -> None:
        """Write one clip. A process that reads meanwhile gets the old clip or the new one."""
        if part not in all_parts(language):
            raise ValueError(f"{language} has no part {part!r}")
        folder = self.folder(language, hip)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = folder / f"{part}.part{os.getpid()}"
        partial.write_bytes(wav(samples))
        partial.replace(folder / f"{part}.wav")

    def remove(self, language: str, part: str, hip: str) -> bool:
        """Remove a hospital's own clip. False where it has none."""
        if part not in self.names(language, hip):
            return False
        (self.folder(language, hip) / f"{part}.wav").unlink(missing_ok=True)
        return True

    def read(self, language: str, part: str, hip: str = "") -> bytes | None:
        """The samples of one clip; None where it is missing or damaged."""
        try:
            return samples_of((self.folder(language, hip) / f"{part}.wav").read_bytes())
        except (OSError, NotSound):
            return None

    def call(self, hip: str, language: str, token: str, counter: str) -> bytes | None:
        """The WAV of one call; None where the language has not all clips that it needs."""
        if language not in ORDERS:
            return None
        key = (hip, language, token, counter, self._changed(language, hip))
        with self._lock:
            if (known := self._cache.get(key)) is not None:
                self._cache.move_to_end(key)
                return known
        sound = self._join(hip, language, token, counter)
        if sound is not None:
            self._remember(key, sound)
        return sound

    def _changed(self, language: str, hip: str) -> tuple[int, ...]:
        """When the folders changed last: a new clip makes the cached calls old."""
        return tuple(_changed_ns(self.folder(language, owner)) for owner in ("", hip))

    def _join(self, hip: str, language: str, token: str, counter: str) -> bytes | None:
        own, common = self.names(language, hip), self.names(language)
        # One voice for the whole call is best; a mixed one is better than silence.
        parts = parts_with(language, token, counter, own) or parts_with(language, token, counter, own | common)
        if parts is None:
            return None
        pieces: list[bytes | None] = []
        for part in parts:
            piece = None if part == PAUSE else self.read(language, part, hip if part in own else "")
            if piece is None and part != PAUSE:
                return None
            pieces.append(piece)
        return joined(pieces)

    def _remember(self, key: Key, sound: bytes) -> None:
        with self._lock:
            if len(sound) > CACHE_BYTES or key in self._cache:
                return
            self._cache[key] = sound
            self._cached_bytes += len(sound)
            while self._cached_bytes > CACHE_BYTES:
                _, oldest = self._cache.popitem(last=False)
                self._cached_bytes -= len(oldest)


def _changed_ns(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
