"""The journal: the files in ``appendonlydir`` from which the server loads its data at each start.

Two repairs happen by themselves, because they lose nothing that was answered: the unanswered end of the last file is
set aside, and a file that is missing in the manifest is entered there. All other damage stops the start; an operator
may then run ``repair``. What is cut off is never deleted: it is kept in ``set-aside``.
"""

import errno
import os
import re
import time
from pathlib import Path

from msgspec import Struct

from queueing.embedded.aof import Extent, ends_like_a_write, examine
from queueing.errors import DiskFull, EmbeddedError, JournalDamaged

JOURNAL_FOLDER = "appendonlydir"
"""The folder of the journal within the data folder, as the server names it."""
MANIFEST = "appendonly.aof.manifest"
SET_ASIDE_FOLDER = "set-aside"
SET_ASIDE_KEPT = 20
"""How many set-aside files are kept, the newest. A power cut leaves one of a few bytes, so twenty can be examined."""
COPY_BYTES = 1 << 20
JOURNAL_FILE = re.compile(r"appendonly\.aof\.(\d{1,9})\.(base|incr)\.(rdb|aof)")
ENTRY = re.compile(r"file (\S+) seq (\d{1,9}) type ([bih])(?: \S.*)?")
WHAT_TO_DO = "restore the last backup (`kiosk restore`), or type `kiosk store repair` to start with what is before it"


class Entry(Struct, frozen=True):
    """One line of the manifest."""

    file: str
    seq: int
    type: str
    """``b`` base, ``i`` incremental (read after the base, in their order), ``h`` to be deleted."""

    def line(self) -> str:
        return f"file {self.file} seq {self.seq} type {self.type}\n"


class Damage(Struct, frozen=True):
    """The first file of the journal that cannot be read to its end."""

    file: str
    extent: Extent | None
    """None: the file is missing."""

    def in_words(self) -> str:
        """A sentence that says what is wrong, without what to do."""
        if self.extent is None:
            return f"{self.file} is missing"
        found = self.extent
        place = f"{self.file} cannot be read from byte {found.whole:,} of {found.size:,} on"
        if not found.later_commands:
            return f"{place}; no write can be found after it"
        first, last = _moment(found.later_first_s), _moment(found.later_last_s)
        when = f", from {first} to {last}" if first and last else ""
        return f"{place}; {found.later_commands:,} commands stand after it{when}"


def journal_bytes(folder: Path) -> int:
    """The bytes that the server must read when it starts on this data folder."""
    return sum(file.stat().st_size for file in (folder / JOURNAL_FOLDER).glob("*.aof"))


def mend_before_start(folder: Path) -> list[str]:
    """Repairs what a power cut left behind, as far as no answered write is lost. Returns one line for each repair.

    Raises JournalDamaged when an operator must decide. Costs two small reads when nothing is wrong.
    """
    if not (folder / JOURNAL_FOLDER).is_dir():
        return []
    done = [*_mend_manifest(folder)]
    last = _last_file(folder)
    if last is not None and not ends_like_a_write(last):
        done += set_aside_end(folder)
    return done


def set_aside_end(folder: Path) -> list[str]:
    """Moves the unanswered end of the last file away, if nothing else is wrong. Returns no line when nothing was wrong.

    Raises JournalDamaged, which names the place, when answered writes would be lost.
    """
    damage = find_damage(folder)
    if damage is None:
        return []
    last = _last_file(folder)
    if last is None or damage.file != last.name or damage.extent is None or not damage.extent.is_unanswered_end:
        raise damaged(folder, damage)
    aside = _cut(folder, last, damage.extent.whole)
    return [
        f"the journal ended in {damage.extent.rest:,} bytes of a write that was never answered: set aside in {aside}"
    ]


def find_damage(folder: Path) -> Damage | None:
    """The first file that is missing or cannot be read to its end. The server itself checks a base in RDB format."""
    for entry in _read_manifest(folder) or []:
        file = folder / JOURNAL_FOLDER / entry.file
        if entry.type == "h":
            continue
        if not file.exists():
            return Damage(entry.file, None)
        if entry.file.endswith(".aof"):
            extent = examine(file)
            if extent.rest:
                return Damage(entry.file, extent)
    return None


def damaged(folder: Path, damage: Damage) -> JournalDamaged:
    """The error that stops the start: what is wrong, what would be lost, what to type."""
    return JournalDamaged(
        f"store in {folder}: its journal is damaged, starting would lose acknowledged tickets: "
        f"{damage.in_words()}: {WHAT_TO_DO}"
    )


def repair(folder: Path) -> list[str]:
    """Keeps what can be read from the start of the journal and sets the rest aside. The folder must not be in use.

    Raises JournalDamaged when nothing can be kept.
    """
    if not (folder / JOURNAL_FOLDER).is_dir():
        return []
    done = [*_mend_manifest(folder, by_hand=True)]
    damage = find_damage(folder)
    if damage is None:
        return done
    entries = _read_manifest(folder) or []
    place = next(n for n, entry in enumerate(entries) if entry.file == damage.file)
    if entries[place].type == "b":
        raise JournalDamaged(f"{damage.in_words()}: nothing can be kept; restore the last backup (`kiosk restore`)")
    remaining, dropped = entries[: place + 1], [entry for entry in entries[place + 1 :] if entry.type == "i"]
    if damage.extent is None:
        remaining = entries[:place]
    else:
        aside = _cut(folder, folder / JOURNAL_FOLDER / damage.file, damage.extent.whole)
        done.append(f"{damage.in_words()}: cut there, the rest is in {aside}")
    _write_manifest(folder, remaining)
    done += [f"{one.file} comes after the damage: moved to {_move_aside(folder, one.file)}" for one in dropped]
    return done or [f"{damage.in_words()}: its entry is removed from the manifest"]


def set_aside(folder: Path) -> list[Path]:
    """The parts cut from the journal that are still kept, newest last."""
    return sorted((folder / SET_ASIDE_FOLDER).glob("*"))


def _mend_manifest(folder: Path, *, by_hand: bool = False) -> list[str]:
    """Writes a lost manifest anew, and enters files missing in it. Refuses when it would have to guess."""
    found = sorted(
        (name[2], int(name[1]), file.name, file.stat().st_size)
        for file in (folder / JOURNAL_FOLDER).iterdir()
        if (name := JOURNAL_FILE.fullmatch(file.name))
    )
    if not found:
        return []
    entries = _read_manifest(folder)
    if entries is None:
        return _renew_manifest(folder, found)
    if not entries and by_hand:
        raise JournalDamaged(f"{MANIFEST} cannot be read: restore the last backup (`kiosk restore`)")
    last = max((entry.seq for entry in entries if entry.type == "i"), default=0)
    missed = [(seq, name) for kind, seq, name, size in found if kind == "incr" and seq > last and size]
    if not missed or not entries:
        return []
    if [seq for seq, _ in missed] != list(range(last + 1, last + 1 + len(missed))):
        raise JournalDamaged(f"store in {folder}: files of its journal are missing before {missed[0][1]}: {WHAT_TO_DO}")
    _write_manifest(folder, [*entries, *(Entry(name, seq, "i") for seq, name in missed)])
    return [f"the manifest of the journal missed {', '.join(name for _, name in missed)}: entered"]


def _renew_manifest(folder: Path, found: list[tuple[str, int, str, int]]) -> list[str]:
    """One base and one incremental file have only one order. With more files, old ones may be among them."""
    if [kind for kind, *_ in found] not in (["base", "incr"], ["base"], ["incr"]):
        raise JournalDamaged(
            f"store in {folder}: {MANIFEST} is lost and the files beside it can be read in more than one order: "
            "restore the last backup (`kiosk restore`)"
        )
    _write_manifest(folder, [Entry(name, seq, kind[0]) for kind, seq, name, _ in found])
    return [f"{MANIFEST} was lost: made anew from the files beside it"]


def _read_manifest(folder: Path) -> list[Entry] | None:
    """The entries. None when the file is missing, empty or all zeroes; an empty list when it cannot be parsed."""
    try:
        lines = (folder / JOURNAL_FOLDER / MANIFEST).read_bytes().strip(b"\0\r\n ").decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    if not lines:
        return None
    found = [ENTRY.fullmatch(line) for line in lines.splitlines() if line.strip() and not line.startswith("#")]
    return [] if None in found else [Entry(one[1], int(one[2]), one[3]) for one in found if one]


def _write_manifest(folder: Path, entries: list[Entry]) -> None:
    """Replaces the manifest in one step: a power cut leaves the old one or the new one. The old one is set aside."""
    path = folder / JOURNAL_FOLDER / MANIFEST
    if path.exists():
        _write_aside(folder, path, 0)
    try:
        fresh = path.with_suffix(".new")
        with open(fresh, "w", opener=_private) as file:
            file.writelines(entry.line() for entry in entries)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _sync_folder(path.parent)
    except OSError as failure:
        raise _cannot(path, failure) from None


def _last_file(folder: Path) -> Path | None:
    """The file that the server appends to."""
    names = [entry for entry in _read_manifest(folder) or [] if entry.type == "i"]
    file = folder / JOURNAL_FOLDER / max(names, key=lambda entry: entry.seq).file if names else None
    return file if file is not None and file.exists() else None


def _cut(folder: Path, file: Path, whole: int) -> Path:
    """Copies the bytes after ``whole`` to set-aside, then cuts the file there. Both are on disk when it returns."""
    aside = _write_aside(folder, file, whole)
    try:
        with file.open("r+b") as opened:
            opened.truncate(whole)
            os.fsync(opened.fileno())
    except OSError as failure:
        raise _cannot(file, failure) from None
    return aside


def _move_aside(folder: Path, name: str) -> Path:
    file = folder / JOURNAL_FOLDER / name
    aside = _write_aside(folder, file, 0) if file.exists() else file
    file.unlink(missing_ok=True)
    return aside


def _write_aside(folder: Path, file: Path, begin: int) -> Path:
    """Writes a private copy of the file from byte ``begin`` to its end."""
    aside = folder / SET_ASIDE_FOLDER / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{begin}-{file.name}"
    try:
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        with file.open("rb") as source, open(aside, "wb", opener=_private) as target:
            source.seek(begin)
            while piece := source.read(COPY_BYTES):
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        _sync_folder(aside.parent)
    except OSError as failure:
        raise _cannot(aside, failure) from None
    for old in set_aside(folder)[:-SET_ASIDE_KEPT]:
        old.unlink(missing_ok=True)
    return aside


def _cannot(path: Path, failure: OSError) -> EmbeddedError:
    if failure.errno == errno.ENOSPC:
        return DiskFull(f"no space left for {path}")
    return EmbeddedError(f"{path} cannot be written: {failure.strerror}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _moment(at_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_s)) if at_s else ""
