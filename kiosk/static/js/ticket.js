// The patient's own page: my number, how many are before me, and a loud call when it is my turn.

import { estimate } from "./waiting.js";

const { Chime, Live, Words, hour, stayAwake } = window.kiosk; // the page loads these files before this one

const STATES = {
  1: "expected",
  2: "waiting",
  3: "called",
  4: "serving",
  5: "held",
  6: "no_show",
  7: "done",
  8: "cancelled",
  9: "lapsed",
};
const LOOKS = {
  expected: "walk",
  waiting: "clock",
  called: "arrow",
  serving: "check",
  held: "pause",
  no_show: "warning",
  done: "check",
  cancelled: "stop",
  lapsed: "calendar",
};
const OVER = ["done", "cancelled", "lapsed"];
const ASK_MS = 20_000; // a phone far back in the line asks for its place this often at most

const body = document.body;
const $ = (id) => document.getElementById(id);
const words = new Words(JSON.parse(body.dataset.words), [document.documentElement.lang], "latin");

let mine = JSON.parse(body.dataset.mine); // { token, key, queue, state, counter, calls, ahead }
let hall = null;
let askedAt = 0;
let asking = 0;
let chime = null;

/** Where the snapshot shows my ticket; null when it does not. By key: another day's ticket may have the same number. */
function found(snapshot) {
  for (const queue of snapshot.queues) {
    const call = queue.now.find((one) => one.key === mine.key);
    if (call)
      return { ...mine, queue: queue.id, state: call.state, counter: call.counter, calls: call.calls, ahead: 0 };
    const ahead = queue.next_keys.indexOf(mine.key);
    if (ahead >= 0) return { ...mine, queue: queue.id, state: 2, ahead };
  }
  return null;
}

/** What staff announce to the people of my queue. */
function drawAnnouncements() {
  const now = live ? live.now() : hall.at_ms;
  const mineOnly = (one) => (!one.queue || one.queue === mine.queue) && one.until_ms > now;
  const lines = (hall.announcements ?? []).filter(mineOnly);
  $("announced").hidden = !lines.length;
  $("announced").replaceChildren(
    ...lines.map((one) =>
      Object.assign(document.createElement("p"), { lang: one.language, dir: "auto", textContent: one.text })
    )
  );
}

function hear(snapshot) {
  hall = snapshot;
  drawAnnouncements();
  const place = found(snapshot);
  if (place) become(place);
  else draw();
  if (!place) askSoon();
}

/** Not on the board: held, missed, finished, or far back in a long line. The server knows. */
function askSoon() {
  const stood =
    ["called", "serving"].includes(STATES[mine.state]) || (STATES[mine.state] === "waiting" && mine.ahead < 150);
  const wait = stood ? Math.random() * 1_500 : Math.max(0, askedAt + ASK_MS - Date.now()) + Math.random() * 5_000;
  if (!asking) asking = setTimeout(ask, wait);
}

async function ask() {
  asking = 0;
  askedAt = Date.now();
  try {
    const answer = await fetch(body.dataset.ask, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (answer.ok) become(await answer.json());
  } catch {
    askSoon();
  }
}

function become(next) {
  const called = STATES[next.state] === "called" && (STATES[mine.state] !== "called" || next.calls > mine.calls);
  mine = next;
  draw();
  if (called) alarm();
  if (OVER.includes(STATES[mine.state])) live?.end();
}

function alarm() {
  body.dataset.alarms = String(Number(body.dataset.alarms) + 1);
  navigator.vibrate?.([500, 200, 500, 200, 900]);
  if (chime) chime.ring().then((rang) => rang && chime.ring());
}

function draw() {
  const state = STATES[mine.state];
  body.dataset.state = state;
  body.dataset.counter = mine.counter;
  words.put($("state"), `ticket.${state}`, { counter: mine.counter });
  words.put($("do"), `ticket.${state}_do`);
  $("state-icon").className = `icon icon-${LOOKS[state]} ${state === "called" ? "turn" : ""}`;
  document.title = `${mine.token} · ${$("state").textContent}`;
  $("wait").hidden = state !== "waiting";
  $("last").hidden = OVER.includes(state);
  $("ring").hidden = OVER.includes(state) || state === "serving";
  if (hall) drawWait(hall.queues.find((queue) => queue.id === mine.queue));
}

function drawWait(queue) {
  if (!queue) return;
  words.name($("queue"), queue);
  $("ahead").textContent = String(mine.ahead);
  const range = estimate(mine.ahead, queue.pace_low_s, queue.pace_high_s);
  if (range) words.put($("estimate"), range.low ? "ticket.minutes" : "ticket.soon_minutes", range);
  else words.put($("estimate"), "ticket.unknown_wait");
  const last = queue.now[0] ?? queue.recent[0];
  if (last) {
    delete $("last-called").dataset.say;
    Object.assign($("last-called"), { lang: "en", dir: "ltr", textContent: `${last.token} → ${last.counter}` });
  } else words.put($("last-called"), "ticket.none_called");
}

function linkIs(state, sinceMs) {
  body.dataset.link = state;
  $("old").hidden = state === "live";
  if (state !== "live") words.put($("old-words"), "common.stale", { time: hour(sinceMs, body.dataset.zone) });
}

$("ring").addEventListener("click", async () => {
  chime ??= new Chime(() => {});
  stayAwake();
  if (await chime.ring()) words.put($("ring-words"), "ticket.ringing");
  navigator.vibrate?.(150);
  $("ring").setAttribute("aria-pressed", "true");
});

$("print").addEventListener("click", async () => {
  $("link").open = true;
  await $("link-picture")
    .decode()
    .catch(() => {});
  print();
});
addEventListener("beforeprint", () => ($("link").open = true));

draw();
const live = OVER.includes(STATES[mine.state]) ? null : new Live(body.dataset.live, { snapshot: hear, state: linkIs });
if (!live) body.dataset.link = "over";
