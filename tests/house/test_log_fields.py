"""What the program logs is what the filter of log lines lets through, and the filter lists nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

from kiosk.observability.logs import FIELDS

ROOT = Path(__file__).parents[2]
METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
ADDED = {"at", "error", "event", "level", "logger", "time"}
"""Fields that ``kiosk.observability.logs`` and its library add to a line themselves."""


def logged_in(source: str) -> Iterator[str]:
    """Fields of each call of a logger: ``_log.info("event", field=…)``, also where an expression chooses the method."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and any(map(_is_log_method, ast.walk(node.func))):
            yield from (keyword.arg for keyword in node.keywords if keyword.arg and keyword.arg != "exc_info")


def _is_log_method(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in METHODS and "log" in ast.unparse(node.value).lower()


def test_every_field_that_is_logged_passes_the_filter_and_no_other_is_listed() -> None:
    logged: dict[str, str] = {}
    for room in ("kiosk", "queueing", "tokens"):
        for path in sorted((ROOT / room).rglob("*.py")):
            logged |= dict.fromkeys(logged_in(path.read_text("utf-8")), path.relative_to(ROOT).as_posix())
    assert {field: file for field, file in logged.items() if field not in FIELDS} == {}, "the filter drops these"
    assert sorted(FIELDS - logged.keys() - ADDED) == [], "nobody logs these: take them off the list"


def test_the_reader_of_log_calls_sees_every_spelling() -> None:
    source = "_log.info('a', one=1)\nself._log.error('b', two=2)\n(_log.info if x else _log.error)('c', three=3)\n"
    assert list(logged_in(source + "other(four=4)\nmath.log(five=5)\n")) == ["one", "two", "three"]
