// The counter's QR screen: a code that is never older than its slot, how many wait, who is called.

import { Live } from "./live.js";
import { bringLetters, stayAwake, takeTurns } from "./screen.js";
import { Words, icon, make } from "./messages.js";

const CALLED = 3;
const SERVING = 4;
const TRY_AGAIN_MS = 5_000;
const READING_MS = 60_000; // after somebody chose a language

const body = document.body;
const $ = (id) => document.getElementById(id);
const words = new Words(JSON.parse(body.dataset.words), body.dataset.languages.split(","), "latin");

let drawn = JSON.parse(body.dataset.drawn);
let offset = drawn.now_ms - Date.now();

function schedule(ms) {
  setTimeout(renew, ms);
}

/** Fetch the next code when its slot begins, a little spread so that all screens of a state do not ask in one moment. */
function untilNext() {
  return Math.max(500, drawn.rotates_at_ms - (Date.now() + offset)) + Math.random() * 1_500;
}

async function renew() {
  try {
    const answer = await fetch(body.dataset.qr, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(String(answer.status));
    await show(await answer.json());
    schedule(untilNext());
  } catch {
    schedule(TRY_AGAIN_MS * (0.7 + Math.random()));
  }
}

/** Swap the pictures only when the new ones are decoded: a half-loaded code cannot be scanned. */
async function show(next) {
  await Promise.all(["abdm", "camera"].map((name) => swap(name, next[name])));
  drawn = next;
  offset = next.now_ms - Date.now();
  age();
}

async function swap(name, code) {
  const picture = $(name);
  if (!picture || !code || picture.getAttribute("src") === code.svg) return;
  const ready = new Image();
  ready.src = code.svg;
  await ready.decode();
  picture.src = code.svg;
  picture.closest("figure").dataset.text = code.text;
}

/** A code of a past slot still works for minutes; beyond that the screen must not invite anybody to scan it. */
function age() {
  const now = Date.now() + offset;
  const over = now > drawn.good_until_ms;
  body.dataset.code = over ? "old" : "fresh";
  $("old").hidden = !over;
  const share = Math.min(1, Math.max(0, (drawn.rotates_at_ms - now) / Math.max(1, drawn.slot_ms)));
  $("age").style.setProperty("inline-size", `${Math.round(share * 100)}%`);
}

function hear(hall) {
  const queue = hall.queues.find((one) => one.id === body.dataset.queue);
  const counter = hall.counters.find((one) => one.name === body.dataset.counter);
  if (!queue) return;
  $("waiting").textContent = words.digits(queue.waiting);
  const here = queue.now.find(
    (call) => call.counter === body.dataset.counter && [CALLED, SERVING].includes(call.state),
  );
  const called = here ?? queue.now[0] ?? queue.recent[0];
  $("now").replaceChildren(...(called ? callParts(called) : ["–"]));
  body.dataset.open = queue.open && (counter?.open ?? true) ? "yes" : "no";
}

/** The number; and where to, when that is another counter than this one. */
function callParts(call) {
  const token = make("span", "token", call.token);
  token.dir = "ltr";
  if (call.counter === body.dataset.counter) return [token];
  const counter = make("span", "counter elsewhere", call.counter);
  return [token, icon("arrow", "turn"), counter];
}

stayAwake();
bringLetters();
new Live(body.dataset.live, { snapshot: hear, state: (state) => (body.dataset.link = state) });
const turns = takeTurns(words, redraw);
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    words.code = button.dataset.language;
    turns.hold(READING_MS);
    redraw();
  });
}

function redraw() {
  words.everywhere();
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === words.code));
  }
}

redraw();
age();
setInterval(age, 1_000);
schedule(untilNext());
