"""Every function, class and constant of a module is used somewhere outside the tests."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("kiosk", "queueing", "tokens")
MIGRATIONS = ROOT / "kiosk" / "archive" / "migrations" / "versions"
"""Alembic reads their names."""
USERS = (*OURS, "loadtests", "tests/house")
"""A drawn list of the docs uses its own functions; other tests do not count as users."""
LATER: dict[str, str] = {}
"""Name → why it stays although nothing uses it. This list only shrinks."""


def module_level_names(source: str) -> Iterator[str]:
    """Names that a module defines. What has a decorator is registered by it: a command, a route."""
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]) | ast.ClassDef():
                yield node.name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def words_in_use() -> Counter[str]:
    words: Counter[str] = Counter()
    for room in USERS:
        for path in (ROOT / room).rglob("*"):
            if path.suffix in {".py", ".html"} and path.name != Path(__file__).name:
                words.update(re.findall(r"\w+", path.read_text("utf-8")))
    return words


def test_the_reader_sees_every_module_level_name() -> None:
    source = "A = 1\nB: int = 2\ndef f(): ...\n@command\ndef g(): ...\nclass C: ...\nasync def h(): ..."
    assert list(module_level_names(source)) == ["A", "B", "f", "C", "h"]


def test_everything_that_a_module_defines_is_used() -> None:
    words = words_in_use()
    unused = {
        f"{path.relative_to(ROOT).as_posix()}:{name}"
        for room in OURS
        for path in (ROOT / room).rglob("*.py")
        if path.parent != MIGRATIONS
        for name in module_level_names(path.read_text("utf-8"))
        if words[name] < 2 and not name.startswith("__")
    }
    assert unused == LATER.keys()
