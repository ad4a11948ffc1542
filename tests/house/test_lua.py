"""The Lua functions: every name that is used is declared, every local is used, and each line is indented as deep as
it stands.

Lua takes a misspelt name for a global that holds nothing. The store would only say so when that line runs.
"""

from collections.abc import Iterator
from pathlib import Path

import tree_sitter_lua
from tree_sitter import Language, Node, Parser

from queueing import lanes

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
NESTING = frozenset(
    [
        *("function_declaration", "function_definition", "if_statement", "for_statement", "while_statement"),
        *("do_statement", "repeat_statement", "table_constructor", "arguments", "parameters"),
        *("parenthesized_expression",),
    ]
)
"""What its inner lines stand deeper in."""
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


MADE = _parser.parse(lanes.lua_tables().encode()).root_node
"""What ``queueing/library.py`` puts before the files."""
TREES = {path: _parser.parse(path.read_bytes()).root_node for path in FILES}


def test_every_file_parses() -> None:
    assert FILES
    assert [path.name for path, tree in TREES.items() if tree.has_error] == []


def test_every_name_is_declared() -> None:
    shared = {text(name) for path, tree in TREES.items() if path.parent.name == "shared" for name in declared_in(tree)}
    shared |= {text(name) for name in declared_in(MADE)}
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


def test_lines_are_short_and_have_no_tabs() -> None:
    wrong = []
    for path in FILES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if "\t" in line or line != line.rstrip() or len(line) > LONGEST_LINE:
                wrong.append(f"{path.name}:{number}")
    assert wrong == []


def wrongly_indented(source: bytes) -> Iterator[str]:
    """Lines that are not indented by two spaces for each block, table and call they stand in. A line that goes on with
    the statement of the line above may have two more.
    """
    every = list(nodes(_parser.parse(source).root_node))
    ends: dict[int, int] = {}
    for node in every:
        if node.type in NESTING:
            ends[node.start_point[0]] = max(ends.get(node.start_point[0], 0), node.end_point[0])
    turns = {
        node.start_point[0]
        for node in every
        if node.type in {"else_statement", "elseif_statement"}
        and node.parent is not None
        and node.parent.start_point[0] < node.start_point[0]
    }
    begins = {node.start_point[0] for node in every if node.parent and node.parent.type in {"block", "chunk"}}
    notes = {
        row for node in every if node.type == "comment" for row in range(node.start_point[0], node.end_point[0] + 1)
    }
    for row, line in enumerate(source.decode().split("\n")):
        depth = sum(first < row < last for first, last in ends.items()) - (row in turns)
        right = {2 * depth} if row in begins or row in turns else {2 * depth, 2 * depth + 2}
        if line and row not in notes and len(line) - len(line.lstrip()) not in right:
            yield f"{row + 1}: {line.strip()}"


def test_lines_are_indented_as_deep_as_they_stand() -> None:
    assert [f"{path.name}:{line}" for path in FILES for line in wrongly_indented(path.read_bytes())] == []


def test_the_check_sees_a_wrong_indent() -> None:
    right = b"if a then\n  f(1,\n    2)\nelse\n  g({\n    x = 1,\n  })\nend"
    assert list(wrongly_indented(right)) == []
    assert list(wrongly_indented(right.replace(b"\n  g", b"\n   g"))) == ["5: g({"]
    assert list(wrongly_indented(right.replace(b"\nelse", b"\n  else"))) == ["4: else"]


def test_the_check_sees_a_misspelt_and_an_idle_name() -> None:
    tree = _parser.parse(b"local function f(a)\n  local idle = 1\n  return a + mispelt\nend\nreturn f(1)").root_node
    declared = declared_in(tree)
    used = {text(use) for use in uses_in(tree, declared)}
    assert used - {text(name) for name in declared} == {"mispelt"}
    assert {text(name) for name in declared} - used == {"idle"}
