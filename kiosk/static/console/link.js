// Whether the server answers: the dot in the bar, and the line that says since when it does not.

import { $, fill, say } from "./dom.js";
import { tell } from "./toast.js";

export class Link {
  /** Since when the server does not answer; null while it does. */
  lostAt = null;

  // `clock`: writes a time as the hospital's boards do.
  constructor(messages, clock) {
    Object.assign(this, { messages, clock });
  }

  set(alive) {
    if (alive && this.lostAt) {
      this.lostAt = null;
      tell(this.messages.back);
    }
    if (!alive) this.lostAt ??= new Date();
    $("link").className = alive ? "link" : "link down";
    $("lost").hidden = alive;
    if (this.lostAt) say($("lost"), fill(this.messages.lost, { time: this.clock.format(this.lostAt) }));
  }
}
