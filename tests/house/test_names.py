"""Names in the code are the field's words: read from Python's syntax tree, and from Lua and JavaScript word by word."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.forbidden_names import LOCAL, MODULES, NATURAL, NATURAL_LOCAL, NATURAL_MODULES, PARTS, WHOLE

ROOT = Path(__file__).parents[2]
ROOMS = ("kiosk", "queueing", "tokens", "loadtests", "tests")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
LUA_CODE = re.compile(r"--\[\[.*?\]\]|--[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|([A-Za-z_]\w*)", re.DOTALL)
JS_CODE = re.compile(
    r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`|([A-Za-z_$][\w$]*)", re.DOTALL
)


def python_names(source: str) -> Iterator[tuple[int, str]]:
    """Every name that the source binds: what an import brings was named by somebody else."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield node.lineno, name


def local_names(source: str) -> Iterator[tuple[int, str]]:
    """Parameters and variables of functions and comprehensions, without the fields of classes."""
    tree = ast.parse(source)
    fields = {id(name) for kind in ast.walk(tree) if isinstance(kind, ast.ClassDef) for name in _own_fields(kind)}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in fields:
            yield node.lineno, node.id


def _own_fields(kind: ast.ClassDef) -> Iterator[ast.expr]:
    for line in kind.body:
        match line:
            case ast.AnnAssign():
                yield line.target
            case ast.Assign():
                yield from line.targets


def other_names(source: str, code: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Every word of Lua or JavaScript that stands in neither a comment nor a text."""
    for match in code.finditer(source):
        if match.group(1):
            yield source.count("\n", 0, match.start()) + 1, match.group(1)


def names_of(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        return python_names(source)
    return other_names(source, LUA_CODE if path.suffix == ".lua" else JS_CODE)


def better(file: str, name: str) -> str:
    """What to say instead of this name, or nothing."""
    if found := WHOLE.get(name) or WHOLE.get(name.strip("_")):
        return found
    for part in (part.lower() for part in PART.findall(name)):
        natural = any(word == part and file.startswith(place) for word, place in NATURAL)
        if part in PARTS and not natural:
            return PARTS[part]
    return ""


def sources() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in {".py", ".lua", ".js"} and path.is_file():
                yield path.relative_to(ROOT).as_posix(), path


def strays() -> dict[str, list[str]]:
    """File → its misleading names."""
    named: dict[str, list[str]] = {}
    for file, path in sources():
        for line, name in sorted(set(names_of(path))):
            if word := better(file, name):
                named.setdefault(file, []).append(f"{file}:{line}: {name} (say: {word})")
    return named


def test_the_reader_of_names_sees_every_way_of_binding_one() -> None:
    source = (
        "import x as told\ndef f(asked, *, debt_id=1): said = kept = 1\nclass ParkedDebt:\n  news: int = 0\n"
        "for given in (): pass\nself.house = [owed for owed in ()]\ntry: ...\nexcept OSError as paid: ...\n"
    )
    seen = {name for _, name in python_names(source) if better("kiosk/x.py", name)}
    assert seen == {"told", "asked", "debt_id", "said", "kept", "ParkedDebt", "news", "given", "house", "owed", "paid"}
    lua = "-- news\nlocal debt = 'owed' --[[ letter ]]"
    assert [name for _, name in other_names(lua, LUA_CODE) if better("x.lua", name)] == ["debt"]
    js = "// told\nconst said = 'asked'; /* kept */ call(`given`)"
    assert [name for _, name in other_names(js, JS_CODE) if better("x.js", name)] == ["said"]


def test_no_name_misleads() -> None:
    found = [line for lines in strays().values() for line in lines]
    assert found == [], "\n" + "\n".join(found)


def test_no_local_name_says_too_little() -> None:
    seen = "def f(words, *, a=1):\n  for words in (): pass\nclass C:\n  words: str = ''\n"
    assert [name for _, name in local_names(seen) if name in LOCAL] == ["words", "words"]
    found = [
        f"{file}:{line}: {name} (say: {LOCAL[name]})"
        for file, path in sources()
        if path.suffix == ".py" and not file.startswith(NATURAL_LOCAL)
        for line, name in local_names(path.read_text("utf-8"))
        if name in LOCAL
    ]
    assert found == []


def test_no_module_has_a_misleading_name() -> None:
    found = []
    for file, path in sources():
        natural = any(file.startswith(place) for place in NATURAL_MODULES)
        inner = path.relative_to(ROOT).with_suffix("").parts[1:]
        found += [f"{file} (say: {MODULES[part]})" for part in inner if part in MODULES and not natural]
    assert found == []
