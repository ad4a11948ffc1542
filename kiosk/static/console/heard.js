// Shows at once that the desk heard a key or a click. Nobody is moved by it: the scanner's wait decides whether a person
// pressed the key, and the server what becomes of the move.

import { $, say } from "./dom.js";

const AFTER = { start: "serving", finish: "done", hold: "held", "no-show": "no_show" };
const BEGINS = "kiosk.scans-begin"; // first keys of this desk's scans: they would flash with every scan
const BEGINS_MOST = 20;

export class Heard {
  #shown = null; // what, and whether it is about whom the clerk chose
  #button = null;
  #text = null; // what stood in place of what is shown
  #begins = new Set(localStorage.getItem(BEGINS)?.split("\n"));

  constructor(states) {
    this.states = states;
  }

  /** Scans of this desk began with this key before. */
  beginsScans(key) {
    return this.#begins.has(key);
  }

  scanBegan(key) {
    if (this.beginsScans(key) || this.#begins.size >= BEGINS_MOST) return;
    this.#begins.add(key);
    localStorage.setItem(BEGINS, [...this.#begins].join("\n"));
  }

  // `chosen`: the move is about whom the clerk chose in the list, where that is possible.
  show(what, chosen) {
    const find = (place) => $(place).querySelector(`[data-do="${what}"]:not([hidden])`);
    const button = (chosen && find("chosen")) || find("now");
    // What was shown when the key was heard is not taken away and drawn anew when its move is made.
    if (button && button === this.#button) return;
    this.end();
    this.#button = button;
    if (!button) return;
    this.#shown = [what, chosen];
    this.#button.classList.add("heard");
    if (!$("now").contains(this.#button)) return;
    $("now").dataset.heard = what;
    this.#text = $("now-state").textContent;
    say($("now-state"), `${this.states[AFTER[what]] ?? ""}…`); // the dots: the server has not answered yet
  }

  // The desk is painted anew: what was heard is still to come.
  across(paint) {
    const shown = this.#shown;
    this.end();
    paint();
    if (shown) this.show(...shown);
  }

  end() {
    this.#shown = null;
    this.#button?.classList.remove("heard");
    this.#button = null;
    if (this.#text === null) return;
    delete $("now").dataset.heard;
    say($("now-state"), this.#text);
    this.#text = null;
  }
}
