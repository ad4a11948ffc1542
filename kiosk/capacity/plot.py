"""Cores against scans a day as one SVG, drawn without a library: both axes by powers of ten, a dot for each load."""

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from msgspec.structs import replace

from kiosk.capacity.model import Costs, Load, Needs, needs

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 70, 170, 40, 60
FEWEST, MOST = 3, 9
"""Scans a day, as powers of ten: a small hospital to ten times a day of India."""
LEAST, LARGEST = -4, 4
"""Cores, as powers of ten."""
PAPER: Final = '<rect width="100%" height="100%" fill="#fff"/>'
PARTS: Final = (("all", "#111"), ("web", "#1b6ac9"), ("store", "#b8481e"), ("relay", "#2c8a4b"))


def draw(loads: Sequence[Load], costs: Costs) -> str:
    """The curves of the last load's shape of day; a dot for each load."""
    shape = loads[-1]
    days = [10 ** (FEWEST + step / 12) for step in range((MOST - FEWEST) * 12 + 1)]
    parts = [_axes()]
    for row, (part, colour) in enumerate(PARTS):
        found = [needs(replace(shape, scans_a_day=day), costs) for day in days]
        line = " ".join(f"{_x(day):.1f},{_y(_cores(need, part)):.1f}" for day, need in zip(days, found, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(WIDTH - RIGHT + 14, TOP + 20 + 20 * row, part, colour))
    for load in loads:
        x, y = _x(load.scans_a_day), _y(needs(load, costs).cores)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/>' + _text(x + 8, y + 14, load.name))
    parts.append(_text(LEFT, TOP - 16, f"cores in the worst seconds; curves: {shape.name}; {costs.machine}"))
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{PAPER}{"".join(parts)}</svg>\n'


def _axes() -> str:
    lines = []
    for power in range(FEWEST, MOST + 1):
        x = _x(10**power)
        lines.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        lines.append(_text(x - 12, HEIGHT - BOTTOM + 18, f"10^{power}"))
    for power in range(LEAST, LARGEST + 1):
        y = _y(10.0**power)
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        lines.append(_text(LEFT - 52, y + 4, f"{10.0**power:g}"))
    lines.append(_text((WIDTH - RIGHT) / 2 - 20, HEIGHT - 16, "scans a day"))
    return "".join(lines)


def _cores(need: Needs, part: str) -> float:
    return need.cores if part == "all" else float(getattr(need, f"{part}_cores"))


def _x(scans: float) -> float:
    return LEFT + (math.log10(scans) - FEWEST) / (MOST - FEWEST) * (WIDTH - LEFT - RIGHT)


def _y(cores: float) -> float:
    at = (math.log10(max(cores, 10.0**LEAST)) - LEAST) / (LARGEST - LEAST)
    return HEIGHT - BOTTOM - min(1.0, at) * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, colour: str = "#111") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(text)}</text>'
