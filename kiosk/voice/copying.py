"""The clips in a backup: one file with all of them, and back again."""

import re
import zipfile
from pathlib import Path
from typing import Final

from kiosk.voice.clips import FOLDER
from kiosk.voice.parts import ORDERS, all_parts
from kiosk.voice.sound import CLIP_MAX_BYTES, NotSound, samples_of

_NAME: Final = re.compile(r"(?:[0-9a-f]{32}/)?(?P<language>[a-z]{2,3})/(?P<part>[a-z0-9-]{1,20})\.wav")
"""The path of a clip below the folder of the voices (``kiosk.voice.clips``)."""


def copy_out(data_dir: Path, target: Path) -> int:
    """Write every clip of the data folder into one new file. Returns how many; without clips no file is written."""
    root = data_dir / FOLDER
    clips = [file for file in sorted(root.rglob("*.wav")) if _is_clip(file.relative_to(root).as_posix())]
    if clips:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as archive:
            for file in clips:
                archive.write(file, file.relative_to(root).as_posix())
    return len(clips)


def copy_in(source: Path, data_dir: Path) -> int:
    """Write the clips of such a file into the data folder. Returns how many. What is no clip is left out."""
    count = 0
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            if not _is_clip(entry.filename) or entry.file_size > CLIP_MAX_BYTES:
                continue
            with archive.open(entry) as file:
                data = file.read(CLIP_MAX_BYTES + 1)
            try:
                samples_of(data)
            except NotSound:
                continue
            target = data_dir / FOLDER / entry.filename
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_bytes(data)
            count += 1
    return count


def _is_clip(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and found["language"] in ORDERS and found["part"] in all_parts(found["language"])
