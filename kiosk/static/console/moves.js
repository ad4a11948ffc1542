// Which moves the state of a ticket allows. The server decides; this only spares a useless press.

import { ENDED } from "./list.js";

const FROM = {
  start: ["called"],
  recall: ["called"],
  finish: ["called", "serving"],
  hold: ["waiting", "called", "serving"],
  "no-show": ["called"],
  "bring-back": ["held", "no_show", "done", "cancelled"],
  "check-in": ["expected"],
  transfer: ["waiting", "called", "serving", "held", "no_show"],
  lane: ["expected", "waiting", "held", "no_show"],
  call: ["expected", "waiting", "held", "no_show"],
  cancel: ["expected", "waiting", "called", "serving", "held", "no_show"],
};
const ON_A_TICKET = ["view", "slip", "copy-for", "note", ...Object.keys(FROM)];

// Whether a button for it looks pressable.
export const possible = (what, ticket) =>
  !ON_A_TICKET.includes(what) ||
  (ticket !== null && (FROM[what]?.includes(ticket.state) ?? !(what === "slip" && ENDED.includes(ticket.state))));

// Shown as soon as its key is heard, before the scanner's wait decides whether a person pressed it.
export const SHOWN_AT_ONCE = [
  "next",
  "recall",
  "undo",
  "start",
  "finish",
  "hold",
  "no-show",
  "call",
  "check-in",
  "bring-back",
];
