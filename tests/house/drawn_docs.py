"""The parts of the documentation that are drawn from the code: the map of the rooms, and every list.

``make map`` writes them between their markers; ``test_docs.py`` compares. What a person writes about an address stays:
it is the last column of its row, and a new address waits there for a sentence.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import click
from litestar.routes import BaseRoute, HTTPRoute
from prometheus_client import REGISTRY

from kiosk import __main__ as program
from kiosk.app import create_app
from kiosk.exchange import fhir, hl7
from kiosk.observability.metrics import Facts, exposition
from kiosk.settings import load
from kiosk.settings.table import TABLE, table_in_markdown
from tests.house.test_arrows import FLOORS, ROOT, arrows
from tests.kiosk.exchange.shared_samples import profile as sample_profile
from tests.kiosk.exchange.shared_samples import ticket as sample_ticket

DOCS: Final = ROOT / "docs"


def marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)


def draw_map() -> str:
    """Mermaid: rooms by floor, highest first; an arrow is left out where a longer way leads there as well."""
    edges = set(arrows())
    lines = ["```mermaid", "flowchart TD"]
    for number, floor in reversed(list(enumerate(FLOORS, 1))):
        rooms = "; ".join(sorted(_node(room) for room in floor))
        lines.append(f'  subgraph f{number}["floor {number}"]\n    direction LR\n    {rooms}\n  end')
    lines += [f"  {_id(room)} --> {_id(target)}" for room, target in sorted(_shortest(edges))]
    return "\n".join([*lines, "```", ""])


def _shortest(edges: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Edges that no longer way replaces."""
    below: dict[str, set[str]] = {}
    for room, target in edges:
        below.setdefault(room, set()).add(target)

    def reached(room: str) -> set[str]:
        found: set[str] = set()
        waiting = [room]
        while waiting:
            new = below.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    for room, target in edges:
        if not any(target in reached(other) for other in below[room] - {target}):
            yield room, target


def _id(room: str) -> str:
    return {"__main__": "main"}.get(room, room)


def _node(room: str) -> str:
    return f"{_id(room)}[{room.strip('_')}]"


def metrics_table() -> str:
    """Every metric of ours, as a worker answers ``/metrics``."""
    facts = Facts(store_up=True, promise="disk", replies_pending=0, archive_lag_s=0, deliveries_pending={"webhook": 0})
    text = exposition(facts).decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    rows = []
    for name, meaning in re.findall(r"^# HELP (kiosk_\S+) (.*)$", text, re.MULTILINE):
        if not name.endswith("_created"):
            labels = getattr(REGISTRY._names_to_collectors.get(name), "_labelnames", _labels_of_now(name, text))
            shown = f"{name}{{{','.join(labels)}}}" if labels else name
            rows.append(f"| `{shown}` | {kinds[name]} | {meaning} |")
    return _table("| metric | kind | what it says |", sorted(rows))


def _labels_of_now(name: str, text: str) -> list[str]:
    """The labels of a gauge that is made at each scrape, from its first line."""
    shown = re.search(rf"^{name}{{(.*)}}", text, re.MULTILINE)
    return re.findall(r"(\w+)=", shown[1]) if shown else []


def commands_table() -> str:
    """Every command, with its line of help."""
    rows = []
    for name in program.COMMANDS:
        command = program.program.get_command(click.Context(program.program), name)
        assert command is not None
        if isinstance(command, click.Group):
            rows += [_command_row(f"{name} {sub}", command.commands[sub]) for sub in sorted(command.commands)]
        else:
            rows.append(_command_row(name, command))
    return _table("| command | what it does |", rows)


def _command_row(name: str, command: click.Command) -> str:
    arguments = [str(part.metavar or part.name).upper() for part in command.params if isinstance(part, click.Argument)]
    return f"| `{' '.join(['kiosk', name, *arguments])}` | {command.get_short_help_str(limit=200)} |"


def routes_table(page: str) -> str:
    """Every address; the sentence about each is kept from the page."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(load({"KIOSK_DATA_DIR": folder}))
        routes = sorted(app.routes, key=lambda route: route.path)
    known = dict(re.findall(r"^\| `[A-Z, ]+ (/\S*)` \| (.*) \|$", page, re.MULTILINE))
    rows = []
    for route in routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        rows.append(f"| `{_methods(route)} {path}` | {known.get(path, '')} |")
    return _table("| address | what it is |", rows)


def _methods(route: BaseRoute) -> str:
    if isinstance(route, HTTPRoute):
        return ", ".join(sorted(route.methods - {"OPTIONS", "HEAD"}))
    return "GET" if route.path == "/live" else "POST"


def _table(head: str, rows: list[str]) -> str:
    rule = "|".join(["", *(" --- " for _ in head.strip("|").split("|")), ""])
    return "\n".join([head, rule, *rows, ""])


def environment_sample() -> str:
    """``.env.example``: every setting with its default, switched off."""
    lines = ["# Settings of the kiosk; docs/settings.md explains them. Remove the # of a line to change its value.", ""]
    for setting in TABLE:
        lines += [
            f"# {setting.meaning}",
            f"# Allowed: {setting.allowed}.",
            f"#{setting.env}={setting.default or ''}",
            "",
        ]
    return "\n".join(lines)


def fhir_example() -> str:
    """Encounter and Patient of a sample bundle; docs/hmis.md shows the same person as JSON."""
    made = fhir.bundle(
        sample_ticket(), sample_profile(), fhir.Place(facility_name="SMHS Hospital", queue_name="Medicine")
    )
    return "```json\n" + "".join(map(_element_a_line, made["entry"][:2])) + "```\n"


def _element_a_line(entry: dict[str, Any]) -> str:
    elements = (f'  "{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in entry["resource"].items())
    return "{\n" + ",\n".join(elements) + "\n}\n"


def hl7_example() -> str:
    """The message about the same ticket, a segment a line."""
    at = datetime.fromisoformat("2026-11-28T10:15:00.123+05:30")
    occasion = hl7.Occasion(
        event_id="8c1f0a52-1764305100123-0", event_type="ticket.created", at=at, queue_name="Medicine"
    )
    text = hl7.message(hl7.Trigger.REGISTERED, sample_ticket(), sample_profile(), occasion).decode()
    return "```\n" + text.replace("\r", "\n") + "```\n"


PARTS: Final[tuple[tuple[str, str, Callable[[str], str]], ...]] = (
    ("architecture.md", "map", lambda _page: draw_map()),
    ("api.md", "routes", routes_table),
    ("api.md", "metrics", lambda _page: metrics_table()),
    ("api.md", "commands", lambda _page: commands_table()),
    ("hmis.md", "fhir-example", lambda _page: fhir_example()),
    ("hmis.md", "hl7-example", lambda _page: hl7_example()),
    ("settings.md", "table", lambda _page: table_in_markdown() + "\n"),
)
"""File, marker, and what draws the part between the markers."""


def drawn(file: str) -> str:
    """A page as it should be."""
    page = (DOCS / file).read_text("utf-8")
    for name, marker, draw in PARTS:
        if name == file:
            part = draw(page)
            page = marked(marker).sub(lambda _match, part=part: part, page)  # type: ignore[misc]  # bound now
    return page


def main() -> None:
    """Write every drawn part."""
    for file in sorted({name for name, _, _ in PARTS}):
        (DOCS / file).write_text(drawn(file), "utf-8")
    (ROOT / ".env.example").write_text(environment_sample(), "utf-8")


if __name__ == "__main__":
    main()
