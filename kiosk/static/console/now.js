// Who is at this counter: the number large, what registration needs beside it.

import { $, describe, fill, make, say } from "./dom.js";

const DOT = " · ";

export class Now {
  constructor(messages, states, genders) {
    Object.assign(this, { messages, states, genders, details: [], ticket: null });
  }

  render(ticket, details, now_ms) {
    this.ticket = ticket;
    $("now").className = ticket ? ticket.state : "nobody";
    say($("now-token"), ticket ? ticket.token : this.messages.nobody);
    $("now-token").classList.toggle("big", Boolean(ticket));
    say($("now-state"), ticket ? this.states[ticket.state] : "");
    say($("now-name").firstElementChild, ticket ? ticket.name || "—" : "");
    $("now-name").hidden = !ticket;
    this.#sayFacts(ticket ? this.#facts(ticket) : [this.messages.nobody_hint]);
    $("now-note").hidden = !ticket?.note;
    say($("now-note").firstElementChild, ticket?.note ?? "");
    if (JSON.stringify(details) !== JSON.stringify(this.details)) describe($("details"), details);
    this.details = details;
    $("copying").hidden = !details.length;
    this.tick(now_ms);
  }

  tick(now_ms) {
    if (!this.ticket) {
      say($("now-since"), "");
      return;
    }
    const minutes = Math.floor((now_ms - this.ticket.called_ms) / 60000);
    const since = minutes > 0 ? fill(this.messages.since, { minutes }) : this.messages.just_now;
    const calls = this.ticket.calls > 1 ? fill(this.messages.calls, { count: this.ticket.calls }) : "";
    say($("now-since"), [since, calls].filter(Boolean).join(DOT));
  }

  #facts(one) {
    const four = one.last_four ? `ABHA ··${one.last_four}` : "";
    return [
      one.age,
      this.genders[one.gender],
      four,
      one.priority,
      ...one.tags,
      one.reply_delivered ? "" : this.messages.not_told,
    ]
      .filter(Boolean)
      .map(String);
  }

  // Each fact is read for itself: a number beside Urdu words would take its direction from them.
  #sayFacts(facts) {
    if ($("now-facts").textContent === facts.join(DOT)) return;
    $("now-facts").replaceChildren(...facts.flatMap((one, at) => [at ? DOT : "", make("bdi", "", one)]));
  }
}
