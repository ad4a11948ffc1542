// A walk-in in one line: name, Enter. A desk scanner may type an ABHA QR into the name instead.

import { $, fill, keyOf, make, say } from "./dom.js";
import { NoAnswer, post } from "./net.js";
import { onPrinter, print, printer } from "./slip.js";

export class WalkIn {
  // `found`: shows a ticket that the person has already. `askReason(then)`: why the person goes sooner.
  constructor(messages, trouble, found, askReason) {
    Object.assign(this, { messages, trouble, found, claim: null, slip: null, busy: false, seen: "" });
    this.dialog = $("walk");
    this.form = $("walk-form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enter();
    });
    this.form.elements.name.addEventListener("paste", () => setTimeout(() => this.#scanned() && this.#read(), 0));
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "F2" || event.repeat) return;
      event.preventDefault();
      const { reason } = this.form.elements;
      askReason((chosen) => {
        reason.value = chosen;
      });
    });
    $("walk-leave").addEventListener("click", () => this.dialog.close());
    $("walk-close").addEventListener("click", () => this.dialog.close());
    $("walk-again").addEventListener("click", () => this.#clear());
    $("perhaps-other").addEventListener("click", () => this.#give(true));
    $("walk-any-hour")
      .querySelector("button")
      .addEventListener("click", () => this.#give(this.sure, true));
    // The first choice has the focus: a second Enter by habit must give nobody a second number.
    $("walk-perhaps").addEventListener("keydown", (event) => {
      if (event.repeat) event.preventDefault();
      else if (/^[1-9]$/.test(event.key)) $("perhaps-list").querySelectorAll("button")[event.key - 1]?.click();
      else if (keyOf(event) === "g") $("perhaps-other").click();
    });
    $("perhaps-back").addEventListener("click", () => this.#showForm());
    $("walk-print").addEventListener("click", () => this.#print(printer()));
    $("walk-done").addEventListener("keydown", (event) => {
      if (event.repeat) return;
      if (keyOf(event) === "l" && event.shiftKey) this.#print("");
      else if (keyOf(event) === "w") {
        event.preventDefault();
        this.#clear();
      }
    });
  }

  // `queues`: mine first. `typed`: what a scanner has sent already.
  open(queues, typed) {
    const select = this.form.elements.queue;
    const options = queues.filter((one) => one.open).map((one) => new Option(one.name, one.id));
    select.replaceChildren(...options);
    this.#clear();
    this.dialog.showModal();
    this.form.elements.name.value = typed;
    this.form.elements.name.focus();
  }

  async #print(named) {
    if (!named) return print(this.slip, this.messages);
    try {
      say($("walk-words"), (await onPrinter(named, this.slip.ticket)).words);
    } catch (cause) {
      this.trouble(cause) || say($("walk-words"), cause instanceof NoAnswer ? this.messages.failed : cause.message);
    }
  }

  #clear() {
    const queue = this.form.elements.queue.value;
    this.form.reset();
    if (queue) this.form.elements.queue.value = queue;
    this.claim = this.slip = null;
    this.request = [...crypto.getRandomValues(new Uint8Array(16))]
      .map((one) => one.toString(16).padStart(2, "0"))
      .join("");
    $("walk-claim").hidden = true;
    this.#showForm();
    this.#wrong("");
  }

  #showForm() {
    this.form.hidden = false;
    $("walk-done").hidden = true;
    $("walk-perhaps").hidden = true;
    this.form.elements.name.focus();
  }

  // Who may be the same person. The clerk takes the old number, or says that it is somebody else.
  #showPerhaps({ words: doubt, alike }) {
    this.form.hidden = true;
    $("walk-perhaps").hidden = false;
    say($("perhaps-words"), doubt);
    const queues = Object.fromEntries([...this.form.elements.queue.options].map((one) => [one.value, one.text]));
    $("perhaps-list").replaceChildren(
      ...alike.map((one, at) => {
        const row = make("li");
        const button = make("button", "choice", fill(this.messages.perhaps_use, one));
        const four = one.last_four ? `ABHA ··${one.last_four}` : "";
        const facts = [one.name, one.age, four, queues[one.queue] ?? one.queue, one.state].filter(Boolean);
        button.type = "button";
        button.addEventListener("click", () => {
          this.dialog.close();
          this.found(one);
        });
        button.prepend(make("kbd", "", String(at + 1)), " ");
        button.append(" ", make("bdi", "hint", facts.join(" · ")));
        row.append(button);
        return row;
      }),
    );
    $("perhaps-list").querySelector("button").focus();
  }

  #wrong(text) {
    if (text && !$("walk-perhaps").hidden) this.#showForm();
    $("walk-trouble").hidden = !text;
    $("walk-any-hour").hidden = true;
    say($("walk-trouble"), text);
  }

  // Says what a scan was that is no patient. False: the form is not in sight.
  warn(text) {
    const shown = this.dialog.open && $("walk-done").hidden;
    if (shown) this.#wrong(text);
    return shown;
  }

  #scanned() {
    return /^[\uFEFFï»¿\s]*\{/.test(this.form.elements.name.value);
  }

  #enter() {
    if (this.busy) return;
    if (this.#scanned()) this.#read();
    else if (!this.form.elements.name.value.trim()) {
      this.#wrong(this.messages.name_needed);
      this.form.elements.name.focus();
    } else this.#give();
  }

  async #run(work) {
    if (this.busy) return;
    this.busy = true;
    this.dialog.setAttribute("aria-busy", "true");
    this.dialog.classList.add("sending");
    try {
      await work();
    } catch (cause) {
      if (!this.trouble(cause)) this.#wrong(cause.status ? cause.message : this.messages.failed);
    } finally {
      this.busy = false;
      this.dialog.removeAttribute("aria-busy");
      this.dialog.classList.remove("sending");
    }
  }

  #read() {
    const fields = this.form.elements;
    const text = fields.name.value;
    return this.#run(async () => {
      fields.name.value = "";
      this.#show(await post("/console/walk-in/read", { text }));
    });
  }

  // A patient whom the scanner read. A form that was filled or sent before is begun anew.
  fill(claim, doubt) {
    this.#clear();
    this.#show(claim, doubt);
  }

  #show(claim, doubt = "") {
    const fields = this.form.elements;
    this.claim = claim;
    fields.name.value = claim.name;
    fields.age.value = claim.year_of_birth ?? "";
    fields.phone.value = claim.phone;
    for (const radio of fields.gender) radio.checked = radio.value === claim.gender;
    $("walk-claim").hidden = false;
    say($("walk-claim"), doubt || this.messages.read_qr);
    this.#wrong("");
    fields.name.focus();
  }

  // The hours of the queue are over: the clerk decides.
  #showHours(opens) {
    $("walk-any-hour").hidden = false;
    say($("walk-opens"), opens && `${opens}.`);
  }

  #give(sure = false, anyHour = false) {
    const fields = this.form.elements;
    this.sure = sure;
    return this.#run(async () => {
      this.slip = await post("/console/walk-in", {
        queue: fields.queue.value,
        name: fields.name.value,
        age: fields.age.value.trim(),
        gender: fields.gender.value,
        phone: fields.phone.value,
        request: this.request,
        reason: fields.reason.value,
        claim: this.claim,
        sure,
        any_hour: anyHour,
      });
      if (this.slip.outcome === "PERHAPS") {
        this.#showPerhaps(this.slip);
        return;
      }
      if (!this.slip.token) {
        this.#wrong(this.slip.words);
        if (this.slip.by_hours) this.#showHours(this.slip.opens);
        return;
      }
      this.form.hidden = true;
      $("walk-perhaps").hidden = true;
      $("walk-done").hidden = false;
      say($("walk-words"), this.slip.words);
      say($("walk-token"), this.slip.token);
      const before = this.slip.ahead ? fill(this.messages.ahead, { count: this.slip.ahead }) : this.messages.first;
      say($("walk-line"), [this.slip.queue, before, this.slip.lane].filter(Boolean).join(" · "));
      $("walk-print").focus();
    });
  }
}
