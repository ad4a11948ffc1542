// The field above the list. While the clerk searches, who was finished or cancelled today is found as well.

import { $ } from "./dom.js";
import { get } from "./net.js";

export class Search {
  #ended = []; // who was finished or cancelled today, while the clerk searches
  #requests = 0;

  // `draw`: the list again. `failed(cause)`: the server did not answer.
  constructor(list, counter, { draw, failed }) {
    Object.assign(this, { list, counter, draw, failed });
    this.field = $("search");
    this.field.addEventListener("input", () => this.filter());
  }

  // `living`: ids of the tickets that the list has already.
  over(living) {
    return this.list.wanted ? this.#ended.filter((one) => !living.has(one.id)) : [];
  }

  forget(ticket) {
    this.#ended = this.#ended.filter((one) => one.id !== ticket);
  }

  filter() {
    const searched = this.list.wanted;
    this.list.search(this.field.value);
    if (this.list.wanted && !searched) this.#findEnded();
    if (!this.list.wanted) this.#ended = [];
    this.draw();
  }

  // A list that stays narrowed hides whoever comes next.
  showAll() {
    this.field.value = "";
    this.filter();
  }

  // The list stays narrowed to this number: a ticket that ended today is only found by a search.
  async ended(ticket, token) {
    this.field.value = token;
    this.list.search(token);
    await this.#findEnded();
    this.list.select(ticket);
  }

  // Asked once for each search: the names of a whole day are not fetched with every change of the hall.
  async #findEnded() {
    const mine = ++this.#requests;
    try {
      const found = await get(`/console/desk/ended?counter=${encodeURIComponent(this.counter)}`);
      if (mine !== this.#requests || !this.list.wanted) return;
      this.#ended = found.tickets;
      this.draw();
    } catch (cause) {
      this.failed(cause);
    }
  }
}
