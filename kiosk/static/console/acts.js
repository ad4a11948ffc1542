// What each button and key of the desk does, by name: `data-do` of a button, `keys.js` of a key.

import { askSure, chooseOne } from "./dialogs.js";
import { $, fill, say } from "./dom.js";
import { post } from "./net.js";
import { printer } from "./slip.js";
import { tell } from "./toast.js";

// `desk`: current() and target(where) are tickets, queues() those of the view, move(what, body) asks the server.
export function actsOf({ messages, deskMessages, reasons }, desk) {
  const { counter, list, now, pending, colleagues, oneTicket, current, target, move } = desk;

  function onOne(what, where, more = {}) {
    const ticket = where === "here" ? current() : where === "chosen" ? list.ticket() : target(where);
    if (!ticket) return tell(where === "here" ? messages.no_current : messages.choose_first, "warn");
    return move(what, { ticket: ticket.id, ...more });
  }

  function transfer(where) {
    const ticket = target(where);
    if (!ticket) return tell(messages.choose_first, "warn");
    const others = desk.queues().filter((one) => one.open && one.id !== ticket.queue);
    return chooseOne(
      `${ticket.token} ${document.documentElement.dir === "rtl" ? "←" : "→"}`,
      others.map((one) => [one.id, one.name]),
      (to) => onOne("transfer", where, { to }),
    );
  }

  function changeLane(where) {
    const ticket = target(where);
    if (!ticket) return tell(messages.choose_first, "warn");
    return chooseOne(
      fill(deskMessages.why_sooner, ticket),
      reasons.map((one) => [one.reason, one.label]),
      (reason) => onOne("lane", where, { reason }),
    );
  }

  function cancel() {
    const ticket = list.ticket();
    if (!ticket) return tell(messages.choose_first, "warn");
    askSure(fill(messages.cancel_sure, { token: ticket.token }), () => move("cancel", { ticket: ticket.id }));
  }

  // Written on the ticket, so that it goes along wherever the patient is sent.
  function askNote(ticket) {
    if (!ticket) return tell(messages.choose_first, "warn");
    say($("note-title"), fill(deskMessages.note_title, ticket));
    $("note-text").value = ticket.note;
    $("note-form").onsubmit = (event) => {
      event.preventDefault();
      $("ask-note").close();
      sendForColleagues("note", { ticket: ticket.id, note: $("note-text").value });
    };
    $("ask-note").showModal();
  }

  function handOver() {
    if (pending.waiting.length) return tell(deskMessages.hand_over_later, "warn");
    $("ask-hand-over").showModal();
  }

  function takeBreak() {
    const now_ms = desk.now_ms();
    if (colleagues.backAt(now_ms)) return sendForColleagues("break", {});
    colleagues.askBreak((body) => sendForColleagues("break", body));
  }

  async function sendForColleagues(what, body) {
    try {
      const answer = await post(`/console/desk/${what}`, { counter, ...body });
      tell(answer.words, answer.outcome === "MOVED" ? "" : "warn");
    } catch (cause) {
      desk.failed(cause);
    }
    await desk.refresh();
  }

  return {
    next: () => move("next", { seen: current()?.id ?? "", current: "ask" }),
    recall: () => move("recall", {}),
    undo: () => move("undo", {}),
    start: () => onOne("start", "here"),
    finish: () => onOne("finish", "here"),
    hold: (where) => onOne("hold", where),
    "no-show": (where) => onOne("no-show", where),
    call: () => onOne("call", "chosen", { seen: current()?.id ?? "", current: "ask" }),
    "check-in": () => onOne("check-in", "chosen"),
    "bring-back": () => onOne("bring-back", "chosen"),
    transfer,
    lane: changeLane,
    cancel,
    view: () => oneTicket.look(list.ticket()),
    copy: () => oneTicket.copyAll(now.details),
    "copy-for": (where) => oneTicket.copyForForm(target(where)),
    slip: (where) => oneTicket.printAgain(target(where), printer()),
    "slip-here": () => oneTicket.printAgain(target(), ""),
    search: () => $("search").focus(),
    help: () => $("help").showModal(),
    "let-go": () => desk.letGo(),
    "walk-in": () => desk.register(),
    "hand-over": handOver,
    note: (where) => askNote(target(where)),
    counters: () => colleagues.toggle(desk.now_ms()),
    break: takeBreak,
  };
}
