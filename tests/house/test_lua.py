"""The Lua functions: every name that is used is declared, every local is used, and the style is one.

Lua takes a misspelt name for a global that holds nothing. The store would only say so when that line runs.
"""

from collections.abc import Iterator
from pathlib import Path

import tree_sitter_lua
from tree_sitter import Language, Node, Parser

FOLDER = Path(__file__).parents[2] / "queueing" / "functions"
FILES = sorted(FOLDER.rglob("*.lua"))
PROVIDED = frozenset(
    [
        *("redis", "cjson", "cmsgpack", "string", "table", "math", "bit", "tonumber", "tostring", "type", "ipairs"),
        *("pairs", "unpack", "next", "select", "error", "pcall", "VERSION", "self"),
    ]
)
"""What the store's Lua and the library's head bring along."""
LONGEST_LINE = 120
_parser = Parser(Language(tree_sitter_lua.language()))


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def text(node: Node) -> str:
    return (node.text or b"").decode()


def is_field(node: Node) -> bool:
    """``b`` of ``a.b``, and ``b`` of ``{b = 1}``: a key, not a variable."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type in {"dot_index_expression", "method_index_expression"}:
        return parent.children[0] != node
    return parent.type == "field" and parent.child_by_field_name("name") == node


def declares(node: Node) -> bool:
    """A parameter, a local, the name of a function or the variable of a loop."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "function_declaration":
        return not is_field(node)
    if parent.type == "for_numeric_clause":
        return parent.child_by_field_name("name") == node
    if parent.type != "variable_list":
        return parent.type == "parameters"
    above = parent.parent
    if above is not None and above.type == "assignment_statement":
        above = above.parent
    return above is not None and above.type in {"variable_declaration", "for_generic_clause"}


def declared_in(tree: Node) -> list[Node]:
    return [node for node in nodes(tree) if node.type == "identifier" and declares(node)]


def uses_in(tree: Node, declared: list[Node]) -> list[Node]:
    places = {node.start_byte for node in declared}
    return [
        node
        for node in nodes(tree)
        if node.type == "identifier" and not is_field(node) and node.start_byte not in places
    ]


TREES = {path: _parser.parse(path.read_bytes()).root_node for path in FILES}


def test_every_file_parses() -> None:
    assert FILES
    assert [path.name for path, tree in TREES.items() if tree.has_error] == []


def test_every_name_is_declared() -> None:
    shared = {text(name) for path, tree in TREES.items() if path.parent.name == "shared" for name in declared_in(tree)}
    wrong = []
    for path, tree in TREES.items():
        declared = declared_in(tree)
        known = shared | PROVIDED | {text(name) for name in declared}
        wrong += [
            f"{path.name}:{use.start_point[0] + 1} {text(use)}"
            for use in uses_in(tree, declared)
            if text(use) not in known
        ]
    assert wrong == []


def test_every_local_is_used() -> None:
    used_anywhere = {text(use) for tree in TREES.values() for use in uses_in(tree, declared_in(tree))}
    wrong = []
    for path, tree in TREES.items():
        declared = declared_in(tree)
        used = {text(use) for use in uses_in(tree, declared)}
        wrong += [
            f"{path.name}:{name.start_point[0] + 1} {text(name)}"
            for name in declared
            if text(name) not in (used_anywhere if path.parent.name == "shared" else used)
            and not text(name).startswith("_")
            and name.parent is not None
            and name.parent.type != "parameters"
        ]
    assert wrong == []


def test_lines_are_short_and_indented_by_two_spaces() -> None:
    wrong = []
    for path in FILES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if "\t" in line or line != line.rstrip() or len(line) > LONGEST_LINE:
                wrong.append(f"{path.name}:{number}")
    assert wrong == []


def test_the_check_sees_a_misspelt_and_an_idle_name() -> None:
    tree = _parser.parse(b"local function f(a)\n  local idle = 1\n  return a + mispelt\nend\nreturn f(1)").root_node
    declared = declared_in(tree)
    used = {text(use) for use in uses_in(tree, declared)}
    assert used - {text(name) for name in declared} == {"mispelt"}
    assert {text(name) for name in declared} - used == {"idle"}
