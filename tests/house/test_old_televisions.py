"""Boards and counter screens run on televisions of 2016: their pages load classic scripts in ES2016 syntax.

Chromium 53 is the oldest engine that is meant. It refuses a whole file for one piece of newer syntax.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

KIOSK = Path(__file__).parents[2] / "kiosk"
TEMPLATES = KIOSK / "displays" / "templates"
PAGES = ("board.html", "counter_screen.html", "pairing.html")
NEWER_NODES = {
    "import_statement": "ES module",
    "export_statement": "ES module",
    "import": "dynamic import",
    "optional_chain": "?. (2020)",
    "private_property_identifier": "#private (2022)",
    "field_definition": "class field (2022)",
    "class_static_block": "static block (2022)",
    "await_expression": "await (2017)",
    "async": "async (2017)",
    "??": "?? (2020)",
    "??=": "??= (2021)",
    "||=": "||= (2021)",
    "&&=": "&&= (2021)",
}
NEWER_NAMES = re.compile(
    r"\.(?:replaceChildren|append|prepend|before|after|replaceWith|toggleAttribute|flatMap|flat|at|padStart|padEnd"
    r"|replaceAll|matchAll|finally|decode|trimStart|trimEnd|hasOwn|findLast)\("
    r"|\b(?:globalThis|structuredClone|queueMicrotask|AbortController|AbortSignal|ResizeObserver|BigInt)\b"
    r"|\bObject\.(?:entries|values|fromEntries)\b|\bPromise\.(?:allSettled|any)\b"
)
"""What an engine of 2016 has not, and what must therefore not be called without asking first."""
_parser = Parser(Language(tree_sitter_javascript.language()))


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def newer_syntax(source: str) -> list[str]:
    """What an engine of 2016 does not understand in this script."""
    found = []
    for node in nodes(_parser.parse(source.encode()).root_node):
        line = node.start_point.row + 1
        fault = "does not parse" if node.is_error or node.is_missing else NEWER_NODES.get(node.type) or newer_use(node)
        if fault:
            found.append(f"{line}: {fault}")
    for number, text in enumerate(re.sub(r"(?m)^\s*(//|/?\*).*$", "", source).splitlines(), 1):
        found += [f"{number}: {name.group()}" for name in NEWER_NAMES.finditer(text)]
    return found


def newer_use(node: Node) -> str:
    """Syntax whose node is old and whose place or text is new."""
    children = [child.type for child in node.children]
    if node.type == "catch_clause" and node.child_by_field_name("parameter") is None:
        return "catch without a name (2019)"
    if node.type in {"arguments", "formal_parameters"} and children[-2:] == [",", ")"]:
        return "comma after the last argument (2017)"
    if node.type in {"object", "object_pattern"} and {"spread_element", "rest_pattern"} & set(children):
        return "spread of an object (2018)"
    if node.type == "number" and re.search(rb"_|n$", node.text or b""):
        return "separator or BigInt in a number (2020)"
    if node.type == "regex" and re.search(rb"\(\?<|\\p\{|/[a-z]*[sdv][a-z]*$", node.text or b""):
        return "lookbehind, named group or flag of a regular expression (2018)"
    return ""


def scripts(page: str) -> list[str]:
    """The scripts that this page loads, in their order."""
    text = (TEMPLATES / page).read_text("utf-8")
    assert 'type="module"' not in text
    listed = re.search(r"{% for name in \((.*?)\) %}\s*<script defer", text)
    assert listed
    named = re.findall(r"<script src=\"{{ static\('js/(\w+\.js)'\) }}\"", text)
    found = named + [f"{name}.js" for name in re.findall(r'"(\w+)"', listed.group(1))]
    assert text.count("<script") == len(named) + 1, "a script tag of another shape is not seen by this test"
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_script_of_a_hanging_screen_runs_on_an_engine_of_2016(page: str) -> None:
    names = scripts(page)
    assert names[0] == "rescue.js"
    assert len(names) >= 4
    for name in names:
        assert newer_syntax((KIOSK / "static" / "js" / name).read_text("utf-8")) == [], name


@pytest.mark.parametrize(
    "bad",
    [
        'import { Live } from "./live.js";',
        "export class Live {}",
        "class A { #waiting = []; }",
        "class A { waiting = []; }",
        "a?.b",
        "a ?? b",
        "a ??= b",
        "async function f() {}",
        "async () => { await f(); }",
        "try { f(); } catch { g(); }",
        "const a = 9_000;",
        "const a = { ...b };",
        "const { a, ...b } = c;",
        "f(a,\n b,\n);",
        "/(?<=a)b/.test(c)",
        "list.replaceChildren(a)",
        "calls.flatMap((one) => one.now)",
        "globalThis.x = 1",
        "AbortSignal.timeout(9)",
        "a = {",
    ],
)
def test_newer_syntax_is_seen(bad: str) -> None:
    assert newer_syntax(bad)


def test_the_syntax_of_2016_is_accepted() -> None:
    good = """
    (function (kiosk) {
      class A { constructor(a, b = 1) { this._a = [...a]; } get on() { return `${this._a}`; } }
      const [x, y] = [1, 2 ** 3];
      for (const one of [x, y]) f(one, ...[x]);
      kiosk.A = A;
    })(window.kiosk);
    """
    assert newer_syntax(good) == []
