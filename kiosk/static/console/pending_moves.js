// Moves that wait for the network, in the order in which the clerk made them.
//
// Each desk numbers its moves and sends one after the other. The server makes a number once: a move whose answer was lost
// is sent again and not made again.

import { $, fill, make, say } from "./dom.js";
import { NoAnswer, SignedOut } from "./net.js";

const MOST = 20; // more than a counter serves in an hour without network: then it works with paper
// Recalling later is no use, and undo takes back what waits.
const NEEDS_THE_NETWORK = ["recall", "undo"];
const AFTER = {
  start: "serving",
  finish: "done",
  hold: "held",
  "no-show": "no_show",
  "bring-back": "waiting",
  "check-in": "waiting",
  transfer: "elsewhere",
  cancel: "cancelled",
};
const DONE = ["MOVED", "EMPTY", "SAME_REQUEST"];
const AT_COUNTER = ["called", "serving"];

const randomName = () =>
  [...crypto.getRandomValues(new Uint8Array(12))].map((one) => one.toString(16).padStart(2, "0")).join("");

export class PendingMoves {
  #page = randomName();
  #number = 0;
  #isSending = false;
  waiting = [];
  lost = []; // after the network came back: {label, words}
  made = 0;

  // `reasons`: why somebody goes sooner, each with its lane and mark. `send(what, body)`: posts a move. `changed()`: what waits has changed. `ask(move, sentence)`: the clerk must say whether
  // the called patient came.
  constructor(messages, counter, { reasons, send, changed, ask }) {
    Object.assign(this, { messages, counter, reasons, send, changed, ask });
    $("pending-close").addEventListener("click", () => {
      this.lost = [];
      this.made = 0;
      this.#changed();
      $("list").focus();
    });
    addEventListener("beforeunload", (event) => {
      if (this.waiting.length) event.preventDefault();
    });
  }

  // A move with its number. `token`: whom it is about.
  number(what, body, token) {
    this.#number += 1;
    const label = fill(this.messages.moves[what] ?? what, { token });
    return {
      what,
      label,
      wasSent: false,
      at_ms: Date.now(),
      body: { ...body, page: this.#page, number: this.#number },
    };
  }

  // Why this move cannot wait, or empty.
  refusal(what, ticket) {
    if (NEEDS_THE_NETWORK.includes(what)) return this.messages.needs_network;
    if (this.waiting.length >= MOST) return fill(this.messages.pending_full, { count: MOST });
    const isNextWaiting = this.waiting.some((one) => one.what === "next");
    return isNextWaiting && (what === "next" || what === "call" || !ticket) ? this.messages.next_waits : "";
  }

  hold(move) {
    this.waiting.push(move);
    this.#changed();
    return fill(this.messages.held, { move: move.label, count: this.waiting.length });
  }

  // Takes back the newest move that was never sent. Returns what to say, or empty when there is none.
  takeBack() {
    if (!this.waiting.length) return "";
    if (this.waiting.at(-1).wasSent) return fill(this.messages.was_sent, { move: this.waiting.at(-1).label });
    const move = this.waiting.pop();
    this.#changed();
    return fill(this.messages.taken_back, { move: move.label });
  }

  // Sends what waits, in order, until nothing is left, the network is gone again, or the clerk must answer. True when
  // the desk is not any more as it was read before.
  async sendAll() {
    if (this.#isSending || !this.waiting.length || $("ask-came").open || !navigator.onLine) return false;
    const before = this.waiting.length;
    this.#isSending = true;
    try {
      while (this.waiting.length) {
        const move = this.waiting[0];
        move.wasSent = true;
        const answer = await this.#send(move);
        if (!answer) break;
        if (answer.outcome === "UNANSWERED") {
          move.body = { ...move.body, number: ++this.#number };
          this.#renumber();
          this.ask(move, answer.words);
          break;
        }
        this.#settle(move, answer);
      }
    } finally {
      this.#isSending = false;
      this.#changed();
    }
    return this.waiting.length < before;
  }

  // A question and its answer are two requests. What comes after it is numbered after it.
  #renumber() {
    for (const move of this.waiting.slice(1)) move.body = { ...move.body, number: ++this.#number };
  }

  async #send(move) {
    try {
      return await this.send(move.what, { ...move.body, late: true });
    } catch (cause) {
      if (cause instanceof NoAnswer || cause instanceof SignedOut) return null;
      return { outcome: "REFUSED", words: cause.message };
    }
  }

  // A move that was not made takes with it what the clerk did with the same patient afterwards.
  #settle(move, answer) {
    this.waiting.shift();
    if (DONE.includes(answer.outcome)) {
      this.made += 1;
    } else {
      this.lost.push({ label: move.label, words: answer.words });
      const follows = (one) => Boolean(move.body.ticket) && one.body.ticket === move.body.ticket;
      for (const one of this.waiting.filter(follows))
        this.lost.push({ label: one.label, words: fill(this.messages.follows, { move: move.label }) });
      this.waiting = this.waiting.filter((one) => !follows(one));
    }
    this.#changed();
  }

  // The desk as it is when all that waits was made. Whom a waiting Next calls is not known.
  predict(view) {
    return this.waiting.reduce((before, move) => this.#after(before, move), view);
  }

  #after(view, { what, body, at_ms }) {
    const isCall = what === "call" || what === "next";
    const change = (one) => {
      if (isCall && one.id === view.current?.id)
        return { ...one, state: body.current === "no_show" ? "no_show" : "done", pending: true };
      if (one.id !== body.ticket) return one;
      if (what === "call")
        return { ...one, state: "called", counter: this.counter, called_ms: at_ms, calls: 1, pending: true };
      if (what === "lane") {
        const { lane, mark, label } = this.reasons.find(({ reason }) => reason === body.reason);
        return { ...one, lane, lane_mark: mark, priority: mark && label, pending: true };
      }
      return { ...one, state: AFTER[what] ?? one.state, pending: true };
    };
    const known = view.current
      ? [view.current, ...view.tickets.filter((one) => one.id !== view.current.id)]
      : view.tickets;
    const tickets = known.map(change);
    const current = tickets.find((one) => AT_COUNTER.includes(one.state) && one.counter === this.counter) ?? null;
    const isSame = current && current.id === view.current?.id;
    return {
      ...view,
      current,
      details: isSame ? view.details : [],
      tickets: tickets.filter((one) => !["done", "cancelled", "elsewhere"].includes(one.state)),
    };
  }

  #changed() {
    const { waiting, lost } = this;
    $("pending").hidden = !waiting.length && !lost.length;
    $("pending").classList.toggle("lost", lost.length > 0);
    const counted = waiting.length
      ? fill(this.messages.pending, { count: waiting.length })
      : fill(this.messages.pending_made, { made: this.made, lost: lost.length });
    say($("pending-title"), counted);
    const line = ({ label, words: why }) => {
      const item = make("li", why ? "lost" : "", label);
      if (why) item.append(make("span", "", `: ${why}`));
      return item;
    };
    $("pending-list").replaceChildren(...[...lost, ...waiting].map(line));
    $("pending-close").hidden = waiting.length > 0;
    this.changed();
  }
}
