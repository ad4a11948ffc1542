// Keys and clicks of the desk: each one becomes an act, a step in the list, or a word of the search.

import { $ } from "./dom.js";
import { actOf, isPress, stepOf } from "./keys.js";

// `acts`: what each name does. `list`: the list of tickets. `letGo()`: nobody is chosen and nothing is searched.
export function listenForPresses(acts, list, letGo) {
  function pressed(event) {
    const inside = event.target.closest?.("input, select, textarea, dialog");
    if (event.target === $("search")) return searching(event);
    if (inside || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isPress(event) && event.target.closest?.("button, a, summary")) return;
    const step = stepOf(event);
    if (step) {
      event.preventDefault();
      $("list").focus();
      list.step(step);
      return;
    }
    if (event.repeat) {
      if (isPress(event)) event.preventDefault();
      return;
    }
    const what = actOf(event, list.selected);
    if (!what) return;
    event.preventDefault();
    acts[what]();
  }

  function searching(event) {
    if (event.key === "Escape") {
      letGo();
      $("list").focus();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      $("list").focus();
      if (!list.selected) list.step(1);
    }
  }

  document.addEventListener("keydown", pressed);
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => {
      $("list").focus(); // or the next Space would press this button again
      acts[button.dataset.do](button.dataset.on);
    });
  }
  $("copy").addEventListener("click", () => acts.copy());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("details.menu")) document.querySelector("details.menu").open = false;
  });
}
