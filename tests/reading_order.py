"""Numbers that read backwards on a page, in a real browser."""

from playwright.async_api import Page

_BACKWARDS = r"""
  () => {
    const digit = "[0-9\u06f0-\u06f9\u0966-\u096f]";
    const joined = `(?:[-:/.·–]| / )(?=${digit}|[A-Za-z])`;
    const piece = new RegExp(`(?:\\+|··)?[A-Za-z]*${digit}(?:${digit}|[A-Za-z]|${joined})*[+%]?`, "g");
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const parent = node.parentElement;
      if (!parent.checkVisibility({ visibilityProperty: true }) || parent.closest("script, style, .off")) continue;
      for (const { 0: text, index } of node.textContent.matchAll(piece)) {
        const boxes = Array.from(text, (_, at) => {
          const range = document.createRange();
          range.setStart(node, index + at);
          range.setEnd(node, index + at + 1);
          return range.getBoundingClientRect();
        }).filter((box) => box.width > 0);
        const isBefore = (one, two) => two.left < one.left - 0.5 && Math.abs(two.top - one.top) < one.height / 2;
        if (boxes.some((box, at) => at > 0 && isBefore(boxes[at - 1], box)))
          found.push(`reads backwards: ${text} in ${parent.className || parent.id || parent.tagName}`);
      }
    }
    return found;
  }
"""


async def backwards(page: Page) -> list[str]:
    """Token numbers, ages, times, ranges, telephone numbers of the page that do not run from left to right; sentences
    around them may run from right to left.
    """
    found: list[str] = await page.evaluate(_BACKWARDS)
    return found
