// Which act of the desk a key asks for.

import { keyOf } from "./dom.js";

const KEYS = {
  n: "next",
  " ": "next",
  r: "recall",
  s: "start",
  f: "finish",
  h: "hold",
  x: "no-show",
  b: "bring-back",
  t: "transfer",
  c: "check-in",
  p: "lane",
  u: "undo",
  w: "walk-in",
  o: "break",
  g: "hand-over",
  m: "note",
  a: "counters",
  l: "slip",
  e: "copy-for",
  v: "view",
  y: "copy",
  delete: "cancel",
  escape: "let-go",
  "/": "search",
  "?": "help",
};
const WITH_SHIFT = { n: "call", l: "slip-here" };
const STEPS = { arrowdown: 1, arrowup: -1, pagedown: 10, pageup: -10, home: -1e6, end: 1e6 };

// `isChosen`: a row of the list is chosen, which Enter opens. Empty: the key asks for nothing.
export function actOf(event, isChosen) {
  const key = keyOf(event).toLowerCase();
  if (key === "enter") return isChosen ? "view" : "next";
  return (event.shiftKey && WITH_SHIFT[key]) || KEYS[key] || "";
}

// Rows that the key goes down the list; 0: it is another key.
export const stepOf = (event) => STEPS[keyOf(event).toLowerCase()] ?? 0;

export const isPress = (event) => [" ", "enter"].includes(keyOf(event).toLowerCase());
