// The wall board: now called (number → counter), next numbers, last calls; flashes and chimes on a call and on a recall.

import { Announcer, speak } from "./announcer.js";
import { Chime } from "./chime.js";
import { Live } from "./live.js";
import { bringLetters, day, hour, stayAwake, takeTurns } from "./screen.js";
import { Words, icon, make } from "./messages.js";

const CALLED = 3;
const QUEUES_AT_ONCE = 4;
const NEXT_SHOWN = { 1: 12, 2: 8 }; // by how many queues share the column
const PAGE_MS = 9_000;
const LAST_SHOWN = 8;
const MISSED_SHOWN_MS = 90_000;
const TOO_LATE_MS = 180_000; // a call that old is shown, not announced: the person came or is a no-show by now

const body = document.body;
const $ = (id) => document.getElementById(id);
const words = new Words(JSON.parse(body.dataset.words), body.dataset.languages.split(","), body.dataset.digits);
const wanted = body.dataset.queues
  .split(",")
  .filter(Boolean)
  .map((name) => name.toUpperCase());
const zone = body.dataset.zone;

let hall = null;
let known = null; // call → how often it was called, as of the last snapshot
let announced = null; // the call in the middle while it is announced
let page = 0;
let awaySince = 0;
let missed = new Set();
let missedUntil = 0;

const key = (call) => `${call.token} ${call.counter} ${call.at_ms} ${call.calls}`;
const newestFirst = (a, b) => b.at_ms - a.at_ms;

const chime = new Chime((on) => {
  body.dataset.sound = on ? "on" : "off";
  $("sound").setAttribute("aria-pressed", String(on));
  $("sound").querySelector(".icon").className = `icon icon-${on ? "sound" : "sound-off"}`;
  words.put($("sound-words"), on ? "board.sound_on" : "board.sound_off");
});

const announcer = new Announcer({
  chime,
  still: (call) => callsNow().some((other) => other.token === call.token && other.counter === call.counter),
  show(call) {
    announced = call;
    body.dataset.announcing = call ? "yes" : "no";
    draw();
    if (!call) return;
    body.dataset.announced = String(Number(body.dataset.announced) + 1);
    say(call);
  },
  rang() {
    body.dataset.chimes = String(Number(body.dataset.chimes) + 1);
  },
  speak: (call) => speak(words.codes.map((code) => [code, words.say("board.spoken", spelled(call), code)])),
});

/** For voices: letters and digits apart, leading zeros dropped. M-042 → M 42 */
function spelled(call) {
  const apart = (text) =>
    text
      .replace("-", " ")
      .replace(/\b0+(?=\d)/g, "")
      .replace(/([A-Z])(?=[A-Z0-9])/g, "$1 ");
  return { token: apart(call.token), counter: apart(call.counter) };
}

function say(call) {
  const line = make("p", "", words.say("board.spoken", call));
  line.lang = words.code;
  line.dir = words.direction;
  $("announcement").replaceChildren(line);
}

function queues() {
  const all = hall?.queues ?? [];
  if (!wanted.length) return all;
  return all.filter((queue) => wanted.includes(queue.id.toUpperCase()) || wanted.includes(queue.prefix.toUpperCase()));
}

const callsNow = () =>
  queues()
    .flatMap((queue) => queue.now)
    .sort(newestFirst);
const callsBefore = () =>
  queues()
    .flatMap((queue) => queue.recent)
    .sort(newestFirst);

function hear(snapshot) {
  hall = snapshot;
  const calls = callsNow();
  const fresh = known ? calls.filter((call) => call.state === CALLED && !known.has(key(call))) : [];
  if (awaySince) notice(calls);
  known = new Set([...calls, ...callsBefore()].map(key));
  const late = live ? live.now() - TOO_LATE_MS : 0;
  for (const call of fresh.reverse()) if (call.at_ms > late) announcer.add(call);
  draw();
}

/** Calls that came and went while the screen was away stand out for a while; those still waiting are announced. */
function notice(calls) {
  const here = new Set(calls.map((call) => call.token));
  const gone = callsBefore().filter((call) => known && !known.has(key(call)) && !here.has(call.token));
  awaySince = 0;
  if (!gone.length) return;
  missed = new Set(gone.map((call) => call.token));
  missedUntil = Date.now() + MISSED_SHOWN_MS;
}

function draw() {
  const calls = callsNow();
  const first = announced ?? calls[0] ?? null;
  drawHero(first);
  const others = calls.filter((call) => !first || call.token !== first.token);
  drawOthers(others);
  drawQueues();
  drawLast(new Set(calls.map((call) => call.token)));
}

function drawHero(call) {
  const hero = $("hero");
  hero.dataset.token = call?.token ?? "";
  hero.dataset.counter = call?.counter ?? "";
  hero.dataset.again = announced && announced.calls > 1 ? "yes" : "no";
  hero.toggleAttribute("data-long", (call?.token ?? "").length > 6);
  hero.querySelector(".token").textContent = call?.token ?? "";
  hero.querySelector(".counter").textContent = call?.counter ?? "";
}

function callLine(call, className = "") {
  const line = make("li", className);
  line.dataset.token = call.token;
  line.dataset.counter = call.counter;
  const token = make("strong", "token", call.token);
  const counter = make("strong", "counter", call.counter);
  token.dir = counter.dir = "ltr";
  line.append(token, icon("arrow", "turn"), counter);
  return line;
}

function drawOthers(calls) {
  const room = matchMedia("(orientation: portrait)").matches ? 8 : 6;
  const from = calls.length > room ? (page * room) % (Math.ceil(calls.length / room) * room) : 0;
  $("others").parentElement.dataset.others = String(calls.length);
  $("others").replaceChildren(...calls.slice(from, from + room).map((call) => callLine(call)));
}

function drawQueues() {
  const all = queues();
  const from =
    all.length > QUEUES_AT_ONCE
      ? (page * QUEUES_AT_ONCE) % (Math.ceil(all.length / QUEUES_AT_ONCE) * QUEUES_AT_ONCE)
      : 0;
  const shown = all.slice(from, from + QUEUES_AT_ONCE);
  const cards = shown.map((queue) => queueCard(queue, shown.length));
  if (!cards.length && hall) {
    const none = make("p", "none");
    words.put(none, "board.no_queues");
    cards.push(none);
  }
  $("queues").dataset.room = String(cards.length);
  $("queues").replaceChildren(...cards);
}

function queueCard(queue, cards) {
  const card = make("article", "queue");
  card.dataset.queue = queue.id;
  const head = make("div", "head");
  const name = make("h3", "", queue.name);
  name.dir = "auto";
  const count = make("span", "count");
  const label = make("span");
  words.put(label, "board.waiting");
  count.append(label, make("strong", "figure waiting", words.digits(queue.waiting)));
  head.append(name, count);
  card.append(head);
  if (!queue.open && !queue.waiting) {
    const shut = make("p", "shut");
    words.put(shut, "board.closed");
    card.append(shut);
    return card;
  }
  const next = make("ol", "next");
  if (queue.next.length) {
    const title = make("li", "label");
    words.put(title, "board.next");
    next.append(title);
  }
  for (const token of queue.next.slice(0, NEXT_SHOWN[cards] ?? 6)) {
    const item = make("li", "token", token);
    item.dir = "ltr";
    next.append(item);
  }
  card.append(next);
  return card;
}

function drawLast(here) {
  const noticed = Date.now() < missedUntil;
  const seen = new Set(here);
  const lines = [];
  for (const call of callsBefore()) {
    if (seen.has(call.token) || (noticed && !missed.has(call.token))) continue;
    seen.add(call.token);
    lines.push(callLine(call));
  }
  body.dataset.missed = noticed ? "yes" : "no";
  words.put($("last-title"), noticed ? "board.missed" : "board.last");
  $("last").replaceChildren(...lines.slice(0, LAST_SHOWN));
  while ($("last").scrollWidth > $("last").clientWidth + 1 && $("last").lastChild) $("last").lastChild.remove();
}

function linkIs(state, sinceMs) {
  if (state !== "live" && body.dataset.link === "live") awaySince = sinceMs;
  body.dataset.link = state;
  $("old").hidden = state === "live";
  words.put($("link-words"), state === "live" ? "common.live" : "common.connecting");
  if (state !== "live") words.put($("old-words"), "common.stale", { time: hour(sinceMs, zone, words) });
}

function tick() {
  const now = live.now();
  const text = hour(now, zone, words);
  if ($("clock").textContent !== text) $("clock").textContent = text;
  const date = day(now, zone, words);
  if ($("date").textContent !== date) {
    Object.assign($("date"), { lang: words.code, dir: words.direction, textContent: date });
  }
}

let live = null;
stayAwake();
bringLetters();
hear(JSON.parse(body.dataset.snapshot));
live = new Live(body.dataset.live, { snapshot: hear, state: linkIs, nowMs: Number(body.dataset.now) });
takeTurns(words, () => {
  words.everywhere();
  tick();
  draw();
});
setInterval(tick, 1_000);
setInterval(() => {
  page += 1;
  draw();
}, PAGE_MS);
tick();
