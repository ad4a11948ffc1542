// The patient's own page: my number, how many are before me, and a loud call when it is my turn.

import { Alarm } from "./alarm.js";
import { keepOffline, storedState, storeState } from "./offline.js";
import { drawStops } from "./stops.js";
import { estimate } from "./waiting.js";

const { Live, Messages, corrections, hour, make } = window.kiosk; // the page loads these files before this one

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
const MAY_CANCEL = ["expected", "waiting", "held", "no_show"];
const NEAR = 3; // with so few before it the page asks its patient to stay near, as kiosk/phone/ticket.py does
const OLD_MS = 60_000; // a page that is drawn from what the phone kept is older than this
const ASK_MS = 20_000; // a phone far back in the line asks for its place this often at most

const body = document.body;
const $ = (id) => document.getElementById(id);
const messages = new Messages(JSON.parse(body.dataset.words), [document.documentElement.lang], "latin");
const corrected = corrections(messages);

let mine = JSON.parse(body.dataset.mine); // { token, key, queue, state, counter, calls, ahead, served_by, stops }
let hall = null;
let stateMs = Number(body.dataset.now); // server's clock: how old is what the page shows
let heard = false;
let lostMs = 0; // server's clock: since when nothing was heard; 0: the stream is live
let askedAt = 0;
let asking = 0;
const alarm = new Alarm(mine.key, messages, body.dataset.zone);

/** Where the snapshot shows my ticket; null when it does not. By key: another day's ticket may have the same number. */
function found(snapshot) {
  for (const queue of snapshot.queues) {
    const call = queue.now.find((one) => one.key === mine.key);
    if (call) {
      const { state, counter, calls } = call;
      const served_by = snapshot.counters.find((one) => one.name === counter)?.served_by ?? "";
      return { ...mine, queue: queue.id, state, counter, calls, served_by, ahead: 0 };
    }
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
  corrected(snapshot.corrected);
  drawAnnouncements();
  stateMs = snapshot.at_ms;
  const place = found(snapshot);
  const sentOn = place && place.queue !== mine.queue; // the snapshot does not know the stops behind it
  if (place) become(place);
  else draw();
  if (!place || sentOn) askSoon();
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
  if (called) alarm.call();
  else if (STATES[mine.state] === "waiting") alarm.before(mine.ahead);
  if (OVER.includes(STATES[mine.state])) live?.end();
  const queue = hall?.queues.find((one) => one.id === mine.queue);
  const others = earlier().map((stop) => queueOf(stop.queue));
  storeState(mine, queue, others, stateMs);
}

function draw() {
  const state = STATES[mine.state];
  body.dataset.state = state;
  body.dataset.counter = mine.counter;
  messages.put($("state"), `ticket.${state}`, { counter: mine.counter });
  $("who").firstElementChild.textContent = mine.served_by ?? "";
  $("who").hidden = !mine.served_by || !["called", "serving"].includes(state);
  messages.put($("do"), state === "waiting" && mine.ahead < NEAR ? "ticket.near_do" : `ticket.${state}_do`);
  $("state-icon").className = `icon icon-${LOOKS[state]} ${state === "called" ? "turn" : ""}`;
  document.title = `${mine.token} · ${$("state").textContent}`;
  $("wait").hidden = $("why").hidden = state !== "waiting";
  $("last").hidden = OVER.includes(state);
  alarm.show(!OVER.includes(state) && state !== "serving");
  $("cancel").hidden = !MAY_CANCEL.includes(state);
  if (!hall) return; // the server drew it
  drawWait(hall.queues.find((queue) => queue.id === mine.queue));
  drawJourney(state);
}

function earlier() {
  return mine.stops ?? []; // what an earlier release stored on the phone has none
}

/** What the page knows of a queue; of one that it never heard of, the id. */
function queueOf(id) {
  return hall?.queues.find((queue) => queue.id === id) ?? { id, name: id };
}

function drawJourney(state) {
  $("stops").hidden = !earlier().length;
  if (!earlier().length) return;
  const waits = state === "waiting";
  const key = waits ? "ticket.stop_now" : `ticket.${state}`;
  const values = waits ? { ahead: mine.ahead } : { counter: mine.counter };
  const now = { queue: mine.queue, look: LOOKS[state], key, values, over: OVER.includes(state) };
  drawStops($("stop-list"), messages, body.dataset.zone, earlier(), now, queueOf);
}

function drawWait(queue) {
  if (!queue) return;
  messages.name($("queue"), queue);
  $("ahead").textContent = String(mine.ahead);
  const range = estimate(mine.ahead, queue, stateMs);
  if (range) messages.put($("estimate"), range.low ? "ticket.minutes" : "ticket.soon_minutes", range);
  else messages.put($("estimate"), "ticket.unknown_wait");
  const last = queue.now[0] ?? queue.recent[0];
  if (last) drawLast(last);
  else messages.put($("last-called"), "ticket.none_called");
}

/** From the number to its counter, in the direction in which the page is read. */
function drawLast(last) {
  const place = $("last-called");
  delete place.dataset.say;
  Object.assign(place, { lang: "en", dir: messages.direction });
  const [token, counter] = [last.token, last.counter].map((text) => make("bdi", "", text));
  token.dir = counter.dir = "ltr";
  place.replaceChildren(token, messages.direction === "rtl" ? " ← " : " → ", counter);
}

function linkIs(state, sinceMs) {
  body.dataset.link = state;
  // A ticket may have been sent on and back while the phone slept: the snapshot shows its queue, not its stops.
  if (state === "live" && lostMs && live.now() - lostMs > OLD_MS) askSoon();
  lostMs = state === "live" ? 0 : lostMs || sinceMs;
  if (state === "live") heard = true;
  say(state === "live" ? 0 : heard ? sinceMs : Math.min(sinceMs, stateMs));
}

/** Since when there is no news; 0: the page is up to date. */
function say(sinceMs) {
  $("old").hidden = !sinceMs;
  if (sinceMs) messages.put($("old-words"), "common.stale", { time: hour(sinceMs, body.dataset.zone) });
}

/** A page that the phone kept may be older than what its script heard last. */
function recall() {
  const last = storedState(mine.key);
  if (last && last.atMs > stateMs) {
    mine = last.mine;
    stateMs = last.atMs;
    hall = last.queue && { queues: [last.queue, ...(last.others ?? [])] };
  }
  lostMs = stateMs;
  if (Date.now() - stateMs > OLD_MS) say(stateMs);
}

$("print").addEventListener("click", async () => {
  $("link").open = true;
  await $("link-picture")
    .decode()
    .catch(() => {});
  print();
});
addEventListener("beforeprint", () => ($("link").open = true));

recall();
draw();
const live = OVER.includes(STATES[mine.state]) ? null : new Live(body.dataset.live, { snapshot: hear, state: linkIs });
if (!live) body.dataset.link = "over";
keepOffline(body.dataset.worker, body.dataset.scope);
