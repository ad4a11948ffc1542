"""Every address that we write for a browser takes the path prefix: none stands fixed in a page, a script or a redirect.

Templates write ``{{ url('/board/') }}``, Python ``url("/board/…")``. Scripts read their addresses from the page; those
of the console hand a path to ``get`` or ``post`` of ``net.js``, which put the prefix before it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from kiosk.settings.values import OWN_ADDRESSES

KIOSK = Path(__file__).parents[2] / "kiosk"
ROOMS = ("console", "displays", "phone", "live", "web")
"""Rooms that write pages and redirects."""
IN_TEMPLATE = re.compile(r"""=\s*["']?/[A-Za-z{.]|=\s*["']?/["'\s>]|url=/""")
"""An attribute, or the address of a refresh, that begins with a slash. ``url('/…')`` stands behind a bracket."""
IN_SCRIPT = re.compile(r"""["'`]/(?:[A-Za-z.]|\$\{)""")
PREFIXED_IN_SCRIPTS = {"get", "post"}
PREFIXED_IN_PYTHON = {"url", "go"}
"""Functions that put the prefix before a path."""
ROUTES = {"get", "post", "asgi", "Router", "startswith", "_answer"}
"""Functions to which a path is a route of ours. ``_answer`` of the console hands its path to ``go``."""
_javascript = Parser(Language(tree_sitter_javascript.language()))


def fixed_in_template(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if IN_TEMPLATE.search(line)]


def fixed_in_script(text: str) -> list[str]:
    """Texts that begin with a slash and are not the first argument of ``get`` or ``post``."""
    return [_text(node) for node in _nodes(_javascript.parse(text.encode()).root_node) if _is_fixed(node)]


def fixed_in_styles(text: str) -> list[str]:
    return re.findall(r"""url\(\s*["']?/[^)]*\)""", text)


def fixed_in_python(text: str) -> list[str]:
    """Texts that begin like an address of ours and are handed to neither ``url`` nor ``go`` nor a route."""
    tree = ast.parse(text)
    known = {id(part) for call in ast.walk(tree) if _takes_paths(call) for part in ast.walk(call)}
    known |= {id(part) for join in ast.walk(tree) if isinstance(join, ast.JoinedStr) for part in join.values}
    return [found for node in ast.walk(tree) if id(node) not in known and _is_own_address(found := _constant(node))]


def _is_fixed(node: Node) -> bool:
    if node.type not in {"string", "template_string"} or not IN_SCRIPT.match(_text(node)):
        return False
    call = node.parent.parent if node.parent and node.parent.type == "arguments" else None
    function = call.child_by_field_name("function") if call else None
    return function is None or _text(function) not in PREFIXED_IN_SCRIPTS


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _takes_paths(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AnnAssign):  # `path` of a controller, a constant of routing
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(isinstance(one, ast.Name) and (one.id == "path" or one.id.isupper()) for one in targets)
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in PREFIXED_IN_PYTHON | ROUTES


def _constant(node: ast.AST) -> str:
    """The beginning of a text, also of one with values in it."""
    if isinstance(node, ast.JoinedStr):
        return _constant(node.values[0]) if node.values else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_own_address(text: str) -> bool:
    return text.startswith("/") and re.split(r"[/?#]", text[1:], maxsplit=1)[0] in OWN_ADDRESSES


def test_templates_have_no_fixed_address() -> None:
    found = {path.name: fixed_in_template(path.read_text()) for path in KIOSK.rglob("templates/*.html")}
    assert len(found) > 15
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_scripts_and_styles_have_no_fixed_address() -> None:
    found = {path.name: fixed_in_script(path.read_text()) for path in KIOSK.rglob("*.js")}
    found |= {path.name: fixed_in_styles(path.read_text()) for path in KIOSK.rglob("*.css")}
    assert len(found) > 15
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_redirects_and_cookies_have_no_fixed_address() -> None:
    files = [path for room in ROOMS for path in (KIOSK / room).rglob("*.py")]
    found = {str(path.relative_to(KIOSK)): fixed_in_python(path.read_text()) for path in files}
    assert len(found) > 30
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_rule_finds_a_new_fixed_address() -> None:
    assert fixed_in_template('<a href="/console">x</a>\n<a href="{{ url(\'/console\') }}">x</a>') == [
        '<a href="/console">x</a>'
    ]
    for line in (
        '<form action="/">',
        "<img src=/t/x>",
        '<meta content="5; url=/board/x">',
        '<body data-live="/live/{{ x }}">',
    ):
        assert fixed_in_template(line) == [line]
    assert fixed_in_script('get("/console/desk"); post(`/console/${x}`); fetch("/console/desk")') == ['"/console/desk"']
    assert fixed_in_script("location = `/t/${x}`; if (key === '/') stop();") == ["`/t/${x}`"]
    assert fixed_in_styles('a { background: url("/static/x.svg"); color: url(../x.svg) }') == ['url("/static/x.svg")']
    assert fixed_in_python('Redirect("/console/login"); go("/console"); url(f"/t/{x}")') == ["/console/login"]
    assert fixed_in_python('x = f"/t/{link}"') == ["/t/"]
