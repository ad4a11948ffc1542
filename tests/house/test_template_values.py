"""A template that is rendered at several places gets the same values at each: one that is missing is an error 500."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OF_THE_TEMPLATE = {"status", "form"}


def _renderings() -> Iterator[tuple[str, frozenset[str | None], str]]:
    """Template, names of its values and place of each call in the code that names a template."""
    for path in sorted((ROOT / "kiosk").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            template = str(node.args[0].value)
            if template.endswith(".html") and "/" not in template:
                names = frozenset(keyword.arg for keyword in node.keywords) - NOT_OF_THE_TEMPLATE
                yield template, names, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_each_place_gives_a_template_the_same_values() -> None:
    by_template: dict[str, dict[frozenset[str | None], str]] = defaultdict(dict)
    found = list(_renderings())
    for template, names, place in found:
        by_template[template][names] = place
    different = {name: sorted(sets.values()) for name, sets in by_template.items() if len(sets) > 1}
    assert len(found) > 40
    assert not different
