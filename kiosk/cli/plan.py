"""``kiosk plan``: what a stated load needs, from measured costs, with every assumption shown."""

from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import fields, replace

from kiosk.capacity.model import LOADS, ROWS, Costs, Load, as_json_object, needs, shipped_costs
from kiosk.capacity.plot import draw
from kiosk.cli.running import CommandFailed, a_table, as_json, tell

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PART = click.FloatRange(0.01, 1)


@click.command()
@click.argument("loads", nargs=-1, metavar="[jk|india|every-visit]...", type=click.Choice(list(LOADS)))
@click.option("--facilities", type=click.IntRange(1, 10**8), help="How many hospitals.")
@click.option("--scans-a-day", type=click.FloatRange(1, 10**10), help="Scans a day of all hospitals together.")
@click.option("--busy-share", type=_PART, help="Part of the day's scans in the busy hours.")
@click.option("--busy-hours", type=click.FloatRange(0.1, 24), help="Length of the busy hours.")
@click.option(
    "--burst", type=click.FloatRange(1, 1000), help="Scans in the worst seconds, as a multiple of the busy hours' mean."
)
@click.option("--boards", type=click.FloatRange(0, 1000), help="Displays in each facility.")
@click.option(
    "--pages", type=click.FloatRange(0, 1), help="Part of the waiting patients who keep their ticket page open."
)
@click.option("--wait-minutes", type=click.FloatRange(0, 1440), help="From scan to doctor.")
@click.option(
    "--hospital-a-day", type=click.FloatRange(1, 10**6), help="Scans a day in the hospital of the average patient."
)
@click.option("--changes-per-scan", type=click.FloatRange(0, 100), help="Screen updates for one patient.")
@click.option("--keep-days", type=click.FloatRange(1, 30), help="How long the store keeps a ticket.")
@click.option("--busy-at-most", type=_PART, help="Part of a core that the worst seconds may use.")
@click.option("--costs", type=_FILE, help="Measured costs of another machine, as `make bench` writes them.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Draw cores against scans as SVG."
)
@as_json
def plan(loads: tuple[str, ...], costs: Path | None, plot: Path | None, json: bool, **assumed: Any) -> None:
    """Compute what a load needs: processors, processes, store shards, memory, disk and network.

    Without a name it compares J&K, India today, and every OPD visit of India. Options change the assumptions.
    """
    known = _costs(costs)
    changed = {name: value for name, value in assumed.items() if value is not None}
    chosen = [replace(LOADS[name], **changed) for name in loads or LOADS]
    found = [needs(load, known) for load in chosen]
    if plot is not None:
        plot.write_text(draw(chosen, known))
    rows = [(name, *(show(load, need) for load, need in zip(chosen, found, strict=True))) for name, show in ROWS]
    document = {
        "costs": msgspec.to_builtins(known),
        "loads": [as_json_object(load, need) for load, need in zip(chosen, found, strict=True)],
    }
    lines = a_table(("", *(load.name for load in chosen)), rows)
    tell(json, document, *lines, "", *_assumptions(chosen), "", *_measured(known))


def _costs(file: Path | None) -> Costs:
    if file is None:
        return shipped_costs()
    try:
        return msgspec.json.decode(file.read_bytes(), type=Costs)
    except msgspec.DecodeError as wrong:
        raise CommandFailed(f"{file.name} is not a file of measured costs: {wrong}") from None


def _assumptions(chosen: list[Load]) -> list[str]:
    shown = [field.name for field in fields(Load) if field.name not in ("name", "facilities", "scans_a_day")]
    rows = [(f"--{name.replace('_', '-')}", *(f"{getattr(load, name):g}" for load in chosen)) for name in shown]
    return a_table(("ASSUMED (change with)", *("" for _ in chosen)), rows)


def _measured(costs: Costs) -> list[str]:
    return [
        f"Measured {costs.measured} on {costs.machine}: a scan takes {costs.web_us:.0f} µs of web, "
        f"{costs.store_us:.0f} µs of store, {costs.relay_us:.0f} µs of relay;",
        f"a ticket {costs.ticket_bytes:.0f} B of memory and {costs.journal_bytes:.0f} B of journal; "
        f"a screen update {costs.frame_us:.0f} µs and {costs.frame_bytes:.0f} B; "
        f"an open screen {costs.listener_kb:.0f} kB.",
    ]
