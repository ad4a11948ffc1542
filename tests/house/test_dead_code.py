"""Every function, method, class and constant is used somewhere outside the tests."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("kiosk", "queueing", "tokens", "loadtests")
MIGRATIONS = ROOT / "kiosk" / "archive" / "migrations" / "versions"
"""Alembic reads their names."""
USERS = (*OURS, "tests/house")
"""A drawn list of the docs uses its own functions; other tests do not count as users."""
CALLED_BY_LIBRARIES = frozenset(
    [
        *("list_commands", "get_command", "format_commands"),  # click
        *("to_asgi_response", "acquire_sliding_window_entry", "clear_sliding_window"),  # Litestar, limits
        *("do_GET", "do_POST", "log_message", "pause_writing", "resume_writing"),  # http.server, asyncio
        *("on_message_begin", "on_url", "on_header", "on_headers_complete"),  # httptools
        *("on_body", "on_message_complete"),
        *("on_start", "wait_time"),  # Locust
    ]
)
"""Methods that take the place of a library's own."""
LATER: dict[str, str] = {
    "loadtests/simulator/people/phones.py:scan_qr": "the journeys in tests/ play with the simulator",
}
"""Name → why it stays although nothing uses it. This list only shrinks."""


def names_defined_in(source: str) -> Iterator[str]:
    """Names that a module defines. What has a decorator is registered by it: a command, a route."""
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]):
                yield node.name
            case ast.ClassDef():
                yield node.name
                yield from methods_of(node)
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def methods_of(node: ast.ClassDef) -> Iterator[str]:
    for inner in node.body:
        match inner:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                registered = any(not isinstance(one, ast.Name) or one.id != "property" for one in inner.decorator_list)
                if not (registered or name.startswith("__") or name in CALLED_BY_LIBRARIES):
                    yield name


def words_in_use() -> Counter[str]:
    words: Counter[str] = Counter()
    for room in USERS:
        for path in (ROOT / room).rglob("*"):
            if path.suffix in {".py", ".html"} and path.name != Path(__file__).name:
                words.update(re.findall(r"\w+", path.read_text("utf-8")))
    return words


def test_the_reader_sees_every_name() -> None:
    source = "A = 1\nB: int = 2\ndef f(): ...\n@command\ndef g(): ...\nasync def h(): ..."
    source += "\nclass C:\n def m(self): ...\n @get\n def n(self): ..."
    assert list(names_defined_in(source)) == ["A", "B", "f", "h", "C", "m"]


def test_everything_that_a_module_defines_is_used() -> None:
    words = words_in_use()
    unused = {
        f"{path.relative_to(ROOT).as_posix()}:{name}"
        for room in OURS
        for path in (ROOT / room).rglob("*.py")
        if path.parent != MIGRATIONS
        for name in names_defined_in(path.read_text("utf-8"))
        if words[name] < 2 and not name.startswith("__")
    }
    assert unused == LATER.keys()
