// The sentence about the last move, at the foot of the desk and for a screen reader.

import { $, say } from "./dom.js";

const TOAST_MS = 9000;
let timer = 0;

export function tell(text, kind = "", undoable = false) {
  say($("toast-text"), text);
  say($("said"), text);
  $("toast").className = `toast ${kind}`;
  $("toast").hidden = false;
  $("toast-undo").hidden = !undoable;
  clearTimeout(timer);
  timer = setTimeout(hide, TOAST_MS);
}

export function hide() {
  $("toast").hidden = true;
}

export function hideWarning() {
  if ($("toast").classList.contains("warn")) hide();
}
