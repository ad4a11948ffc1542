"""Colours that stand on each other, as WCAG 2.2 measures them (1.4.3: 4.5 for text)."""

import re

import pytest

from kiosk.web.static_files import FOLDER

TEXT = 4.5
PAIRS = [
    ("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("deep-ink", "deep"), ("deep-soft", "deep"),
    ("call-ink", "call"), ("good", "card"), ("good", "paper"), ("bad", "bad-paper"), ("bad", "paper"), ("bad", "card"),
]  # fmt: skip
STYLES = (FOLDER / "css/base.css").read_text("utf-8")


def colours(look: str) -> dict[str, str]:
    """Every colour of a look: those of the day, and over them its own."""
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", STYLES.partition(":root {")[2].partition("}")[0]))
    own = STYLES.partition(f'[data-look="{look}"] {{')[2].partition("}")[0] if look != "day" else ""
    named = {name: found[other] for name, other in re.findall(r"--([\w-]+): var\(--([\w-]+)\)", own)}
    return found | named | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", own))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("look", ["day", "night", "contrast"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(look: str, text: str, ground: str) -> None:
    known = colours(look)
    assert contrast(known[text], known[ground]) >= TEXT


@pytest.mark.parametrize("look", ["night", "contrast"])
def test_a_look_has_colours_of_its_own(look: str) -> None:
    assert colours(look) != colours("day")
