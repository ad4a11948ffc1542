// What a scanner typed moves nobody: it fills the walk-in form, chooses a ticket in the list, or is named.

import { closeAll } from "./dialogs.js";
import { $, fill } from "./dom.js";
import { NoAnswer, post } from "./net.js";
import { hideWarning, tell } from "./toast.js";

const AGAIN_MS = 20;
const MOVES_KEPT = 10;

export class Scans {
  #last = Promise.resolve();
  #moves = []; // when the last ones began, by performance.now()

  // `desk`: isBusy(), hasEnded(), undo(), register(), failed(cause), during(work), and its list, search and walkIn.
  constructor(messages, desk) {
    Object.assign(this, { messages, desk });
  }

  // A move was made by a key that was pressed then.
  moved(began) {
    this.#moves = [...this.#moves.slice(1 - MOVES_KEPT), began];
  }

  // One after another: of two scans in a row the last one is what the clerk sees.
  take(reading, playedAt, asName) {
    this.desk.during(() => {
      this.#last = this.#last.then(() => this.#answer(reading, playedAt, asName));
      return this.#last;
    });
  }

  async #answer(reading, playedAt, asName) {
    if (this.desk.hasEnded()) return;
    if (playedAt !== null) await this.#takeBack(playedAt);
    try {
      const found = await post("/console/scan", reading);
      if (found.patient) this.#patient(found);
      else if (found.ticket) await this.ticket(found);
      else this.#warn(asName ? this.messages.barcode_no_name : found.words);
    } catch (cause) {
      if (cause instanceof NoAnswer) this.#warn(this.messages.scan_lost);
      else this.desk.failed(cause);
    }
  }

  // In the walk-in form, where it lies over the foot of the desk.
  #warn(text) {
    if (!this.desk.walkIn.warn(text)) tell(text, "warn");
  }

  // The first keys of a scan that halted were played as moves: they are taken back.
  async #takeBack(playedAt) {
    while (this.desk.isBusy()) await new Promise((resume) => setTimeout(resume, AGAIN_MS));
    const mistaken = this.#moves.filter((began) => began >= playedAt);
    this.#moves = [];
    for (const _ of mistaken) await this.desk.undo();
  }

  #patient({ patient, words: doubt }) {
    const { walkIn } = this.desk;
    if (!walkIn.dialog.open) {
      closeAll();
      this.desk.register();
    }
    // What was said of a scan before, which failed, is not true of this one.
    hideWarning();
    walkIn.fill(patient, doubt);
  }

  async ticket({ ticket, token }) {
    const { list, search } = this.desk;
    closeAll();
    search.showAll();
    list.select(ticket);
    $("list").focus();
    if (list.selected !== ticket) await search.ended(ticket, token);
    const found = list.selected === ticket;
    if (!found) search.showAll();
    tell(fill(found ? this.messages.slip_found : this.messages.slip_not_listed, { token }), found ? "" : "warn");
  }
}
