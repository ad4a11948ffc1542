// The list of shared profiles: one focusable box; rows come, go and change inside it while the focus stays.

import { fill, isolated, make, say } from "./dom.js";

const SECTIONS = ["waiting", "expected", "held", "no_show", "elsewhere", "done", "cancelled"];
const SHORT_NAME = 20; // characters that have room in every window
export const ENDED = ["done", "cancelled"];
const plain = (text) =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\s-]+/g, "");

export class List {
  constructor(box, messages, sections, chosen) {
    Object.assign(this, {
      box,
      messages,
      chosen,
      rows: new Map(),
      order: [],
      tickets: new Map(),
      selected: "",
      wanted: "",
    });
    this.sections = new Map(SECTIONS.map((name) => [name, this.#section(name, sections[name])]));
    this.more = make("div", "more");
    this.more.setAttribute("aria-hidden", "true");
    this.sections.get("waiting").group.append(this.more);
    this.empty = make("p", "empty");
    box.after(this.empty);
    box.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.select(row.dataset.id === this.selected ? "" : row.dataset.id);
    });
  }

  #section(name, title) {
    const group = make("div", `section ${name}`);
    // Within a listbox only groups and options are allowed: the group has the title, the eye sees the line.
    const head = make("div", "section-head", title);
    const count = make("bdi", "count");
    head.setAttribute("aria-hidden", "true");
    head.append(count);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", title);
    const body = make("div");
    body.setAttribute("role", "presentation");
    group.append(head, body);
    this.box.append(group);
    return { group, body, count };
  }

  // `now_ms`: the server's clock, so that a desk with a wrong clock still shows true waits. `unlisted`: so many more wait.
  render(tickets, counter, now_ms, unlisted = 0) {
    this.tickets = new Map(tickets.map((one) => [one.id, one]));
    const bySection = Map.groupBy
      ? Map.groupBy(tickets, (one) => this.#where(one, counter))
      : group(tickets, (one) => this.#where(one, counter));
    this.order = [];
    for (const [name, { group: box, body, count }] of this.sections) {
      const all = bySection.get(name) ?? [];
      const shown = all.filter((one) => this.#matches(one));
      const total = all.length + (name === "waiting" ? unlisted : 0);
      say(count, all.length === shown.length ? total : `${shown.length} / ${total}`);
      box.hidden = !shown.length;
      this.#place(body, shown, now_ms);
      this.order.push(...shown.map((one) => one.id));
    }
    const listed = new Set(this.order);
    for (const id of this.rows.keys()) if (!listed.has(id)) this.rows.delete(id);
    say(this.more, unlisted ? fill(this.messages.more, { count: unlisted }) : "");
    this.more.hidden = !unlisted;
    say(
      this.empty,
      this.order.length
        ? ""
        : this.wanted
          ? fill(this.messages.no_match, { text: this.wanted })
          : this.messages.none_waiting,
    );
    this.empty.hidden = this.order.length > 0;
    if (this.selected && !this.order.includes(this.selected)) this.select("");
    else this.chosen(this.ticket());
  }

  #where(one, counter) {
    if (one.state === "called" || one.state === "serving") return one.counter === counter ? "here" : "elsewhere";
    return one.state;
  }

  #matches(one) {
    if (!this.wanted) return true;
    const wanted = plain(this.wanted);
    return (
      plain(one.token).includes(wanted) ||
      plain(one.name).includes(wanted) ||
      (one.last_four !== "" && one.last_four.includes(wanted))
    );
  }

  #place(body, tickets, now_ms) {
    const rows = tickets.map((one) => this.#painted(one, now_ms));
    const here = new Set(rows);
    // First, or every row behind one that leaves would be moved.
    for (const row of [...body.children]) if (!here.has(row)) row.remove();
    rows.forEach((row, at) => {
      if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
    });
  }

  // A move changes two of three hundred rows; the others are left as they are.
  #painted(one, now_ms) {
    const row = this.rows.get(one.id) ?? this.#row(one.id);
    const minutes = Math.max(0, Math.floor((now_ms - one.arrived_ms) / 60000));
    const shown = JSON.stringify([minutes, { ...one, ahead: 0 }]); // how many are ahead stands in no row
    if (row.shown !== shown) this.#paint(row, one, minutes);
    row.shown = shown;
    return row;
  }

  #row(id) {
    const row = make("div", "row-option");
    row.id = `t-${id}`;
    row.dataset.id = id;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    const name = make("span", "who");
    name.append(make("bdi"), make("span", "tag untold"));
    row.append(
      make("span", "token"),
      isolated("lane"),
      name,
      isolated("age"),
      isolated("four"),
      make("span", "tags"),
      make("span", "waits"),
    );
    this.rows.set(id, row);
    return row;
  }

  #paint(row, one, minutes) {
    const [token, lane, who, age, four, tags, waits] = row.children;
    say(token, one.token);
    say(lane.firstChild, one.lane_mark);
    lane.className = `lane ${one.lane}`;
    lane.title = one.priority;
    say(who.firstChild, one.name || "—");
    say(who.lastChild, one.reply_delivered ? "" : this.messages.not_told);
    const isLong = one.name.length > SHORT_NAME;
    who.classList.toggle("cut", isLong || !one.reply_delivered);
    who.title = isLong ? one.name : "";
    say(age.firstChild, [one.age, one.gender].filter(Boolean).join(" "));
    say(four.firstChild, one.last_four ? `··${one.last_four}` : "");
    tags.replaceChildren(
      ...one.tags.map((text) => make("span", `tag ${text === this.messages.far ? "far" : ""}`, text)),
    );
    if (one.note) tags.prepend(Object.assign(make("span", "tag note", this.messages.note_tag), { title: one.note }));
    row.classList.toggle("pending-row", Boolean(one.pending));
    say(
      waits,
      one.counter && (one.state === "called" || one.state === "serving")
        ? one.counter
        : ENDED.includes(one.state)
          ? ""
          : `${minutes} ${this.messages.min}`,
    );
    waits.classList.toggle("long", minutes >= 60 && one.state === "waiting");
  }

  ticket() {
    return this.tickets.get(this.selected) ?? null;
  }

  select(id) {
    this.rows.get(this.selected)?.setAttribute("aria-selected", "false");
    this.selected = this.rows.has(id) ? id : "";
    this.chosen(this.ticket()); // first: the moves that appear below take room from the list
    const row = this.rows.get(this.selected);
    if (row) {
      row.setAttribute("aria-selected", "true");
      this.box.setAttribute("aria-activedescendant", row.id);
      row.scrollIntoView({ block: "nearest" });
    } else {
      this.box.removeAttribute("aria-activedescendant");
    }
  }

  step(by) {
    if (!this.order.length) return;
    const at = this.order.indexOf(this.selected);
    const from = at >= 0 ? at : by > 0 ? -1 : this.order.length;
    this.select(this.order[Math.min(this.order.length - 1, Math.max(0, from + by))]);
  }

  search(text) {
    this.wanted = text.trim();
  }
}

function group(items, by) {
  const groups = new Map();
  for (const item of items) groups.set(by(item), [...(groups.get(by(item)) ?? []), item]);
  return groups;
}
