// Until a scan is read the clerk cannot know what the desk will show: no key that is pressed meanwhile moves anybody.

import { $, say } from "./dom.js";
import { TEXT_FIELDS, isNamed } from "./scanner.js";

const SHOWN_AFTER_MS = 200; // most scans are read sooner
const HINT_MS = 4000;

export class UnreadScans {
  #scans = 0;
  #overAt = 0; // when the last one was read, by performance.now()
  #dropped = new Set(); // keys that are still down: some browsers press a button when Space comes up
  #hintUntil = 0;
  #timer = 0;

  // `scanner`: hears each key before this does, and plays some of them a moment later.
  constructor(messages, scanner) {
    Object.assign(this, { messages, scanner });
    addEventListener("keydown", (event) => this.#hear(event), { capture: true });
    addEventListener("keyup", (event) => this.#dropped.delete(event.code) && drop(event), { capture: true });
  }

  isOn() {
    return this.#scans > 0;
  }

  // `work()`: reads a scan. Whatever becomes of it, keys count again afterwards.
  async during(work) {
    this.#scans += 1;
    this.#showIn(SHOWN_AFTER_MS);
    try {
      return await work();
    } finally {
      this.#scans -= 1;
      this.#overAt = performance.now();
      this.#showIn(0);
    }
  }

  // A key counts as of the moment when it was pressed.
  #hear(event) {
    const pressedAt = event.isTrusted ? event.timeStamp : this.scanner.playsFrom;
    if ((!this.isOn() && pressedAt >= this.#overAt) || !mayMove(event)) return;
    drop(event);
    if (event.isTrusted) this.#dropped.add(event.code);
    this.#hintUntil = performance.now() + HINT_MS;
    this.#showIn(0);
  }

  #showIn(delay_ms) {
    clearTimeout(this.#timer);
    if (delay_ms) this.#timer = setTimeout(() => this.#show(), delay_ms);
    else this.#show();
  }

  #show() {
    const hint_ms = this.#hintUntil - performance.now();
    const text = hint_ms > 0 ? this.messages.key_dropped : this.isOn() ? this.messages.reading : "";
    const node = $("reading");
    node.hidden = !text;
    say(node, text);
    if (node.showPopover) {
      // Anew each time: over a dialog that was opened after it.
      node.hidePopover();
      if (text) node.showPopover();
    }
    if (hint_ms > 0) this.#showIn(hint_ms);
  }
}

// A field may be typed in, but not sent. Anywhere else a character may be a move, and Tab leads to the button of one.
function mayMove(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (event.key === "Enter") return true;
  return !event.target.closest?.(TEXT_FIELDS) && (!isNamed(event.key) || ["Tab", "Delete"].includes(event.key));
}

function drop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
