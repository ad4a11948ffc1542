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
