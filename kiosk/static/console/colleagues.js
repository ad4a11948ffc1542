// What clerks see of each other: who else sits here, breaks, and every counter with its clerk and its patient.

import { $, fill, make, say } from "./dom.js";

const BREAKS_MIN = [5, 10, 15, 30]; // tea, prayer, an errand, a meal
const SHOWN = "kiosk-counters"; // remembered on this machine: whether the column is open

export class Colleagues {
  constructor(messages, counter, clock) {
    Object.assign(this, { messages, counter, clock, view: null });
    this.column = $("counters");
    this.column.hidden = localStorage.getItem(SHOWN) !== "yes";
  }

  // Every counter, this one too. `now_ms`: the server's clock.
  render(view, now_ms) {
    this.view = view;
    this.#beside(view.beside);
    this.tick(now_ms);
  }

  tick(now_ms) {
    if (!this.view) return;
    const back = this.backAt(now_ms);
    $("away").hidden = !back;
    say($("away-text"), back ? fill(this.messages.break, { time: this.clock.format(back) }) : "");
    if (!this.column.hidden) this.#rows(now_ms);
  }

  // When this counter's clerk is back, unix ms; 0 without a break.
  backAt(now_ms) {
    const mine = this.view?.counters.find((one) => one.name === this.counter);
    return mine && mine.back_ms > now_ms ? mine.back_ms : 0;
  }

  toggle(now_ms) {
    this.column.hidden = !this.column.hidden;
    localStorage.setItem(SHOWN, this.column.hidden ? "no" : "yes");
    this.tick(now_ms);
  }

  #beside(names) {
    $("beside").hidden = !names.length;
    const text = names.length > 1 ? this.messages.beside_many : this.messages.beside;
    say($("beside"), names.length ? fill(text, { names: names.join(", ") }) : "");
  }

  #rows(now_ms) {
    const rows = this.view.counters.filter((one) => one.open || one.clerks.length || one.token);
    const shown = JSON.stringify([rows, Math.floor(now_ms / 60000)]);
    if (this.column.dataset.shown === shown) return;
    this.column.dataset.shown = shown;
    $("counter-rows").replaceChildren(...rows.map((one) => this.#row(one, now_ms)));
  }

  #row(one, now_ms) {
    const row = make("li", one.name === this.counter ? "mine" : "");
    const clerks = make("bdi", one.clerks.length ? "clerk" : "clerk none", one.clerks.join(", "));
    if (!one.clerks.length) say(clerks, this.messages.counter_empty);
    const doing = make("span", "doing");
    if (one.token) {
      const minutes = Math.max(0, Math.floor((now_ms - one.since_ms) / 60000));
      doing.append(make("b", "token", one.token), ` ${fill(this.messages.minutes, { minutes })}`);
    }
    if (one.back_ms > now_ms)
      doing.append(make("span", "tag", fill(this.messages.break_back, { time: this.clock.format(one.back_ms) })));
    if (!one.open) doing.append(make("span", "tag", this.messages.counter_shut));
    row.append(make("b", "token", one.name), clerks, doing);
    return row;
  }

  // `take({ minutes })` or `take({ at })`.
  askBreak(take) {
    const dialog = $("ask-break");
    const chosen = (body) => {
      dialog.close();
      take(body);
    };
    say($("break-title"), fill(this.messages.break_title, { counter: this.counter }));
    $("break-list").replaceChildren(
      ...BREAKS_MIN.map((minutes, at) => {
        const button = make("button", "choice", fill(this.messages.break_minutes, { minutes }));
        button.type = "button";
        button.prepend(make("kbd", "", String(at + 1)), " ");
        button.addEventListener("click", () => chosen({ minutes }));
        return button;
      }),
    );
    $("break-at").value = "";
    $("break-form").onsubmit = (event) => {
      event.preventDefault();
      if ($("break-at").value) chosen({ at: $("break-at").value });
    };
    dialog.onkeydown = (event) => {
      if (event.target === $("break-at") || event.repeat || !/^[1-9]$/.test(event.key)) return;
      $("break-list").children[event.key - 1]?.click();
    };
    dialog.showModal();
  }
}
