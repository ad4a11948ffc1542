"""What a test waits for in a page is a function. Playwright makes the text a program at its first look, which a page's
policy lets it; it keeps a function, but makes any other expression anew at each further look, which the policy forbids.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTION = re.compile(r"(async )?\([\w, ]*\) =>")


def awaited_expressions(source: str) -> Iterator[str]:
    """The beginning of each text that ``wait_for_function`` gets."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "wait_for_function":
            text = node.args[0]
            begin = text.values[0] if isinstance(text, ast.JoinedStr) else text
            yield begin.value if isinstance(begin, ast.Constant) and isinstance(begin.value, str) else ""


def test_the_reader_sees_what_is_awaited() -> None:
    source = "p.wait_for_function('a === 1')\np.wait_for_function(f'async () => {B}')\np.wait_for_function(C)"
    assert list(awaited_expressions(source)) == ["a === 1", "async () => ", ""]


def test_only_functions_are_awaited() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {text}"
        for room in ("tests", "loadtests")
        for path in (ROOT / room).rglob("*.py")
        if "wait_for_function" in (source := path.read_text("utf-8"))
        for text in awaited_expressions(source)
        if not FUNCTION.match(text)
    ]
    assert wrong == []
