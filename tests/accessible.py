"""axe-core looks at a page in the browser. ``tests/vendor/axe.min.js`` is the file of its npm package (4.14.1)."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).with_name("vendor") / "axe.min.js"
SERIOUS = ("serious", "critical")
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
LOOK = """async (standards) => (await axe.run(document, {runOnly: standards, resultTypes: ["violations"]}))"""


async def serious_problems(page: Page) -> list[str]:
    """What axe finds serious or critical: the rule, and where."""
    await page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = await page.evaluate(LOOK, list(STANDARDS))
    assert found["passes"], "axe looked at nothing"
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:5]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]


async def problems_in_any_light(page: Page) -> list[str]:
    """The same; and on the dark page what its colours alone can spoil."""
    found = await serious_problems(page)
    await page.emulate_media(color_scheme="dark")
    dark: dict[str, Any] = await page.evaluate("axe.run(document, {runOnly: ['color-contrast']})")
    await page.emulate_media(color_scheme="light")
    assert dark["passes"], "axe looked at nothing"
    nodes = [node["target"] for one in dark["violations"] for node in one["nodes"]]
    return [*found, *(f"dark: {target}" for target in nodes[:5])]
