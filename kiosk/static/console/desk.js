// The desk: one key for next, one for every other move; what the screen shows is what the server said last.

import { Colleagues } from "./colleagues.js";
import { copyFor } from "./copying.js";
import { $, copy, describe, fill, keyOf, make, say } from "./dom.js";
import { Heard } from "./heard.js";
import { ENDED, List } from "./list.js";
import { NoAnswer, SignedOut, follow, get, post } from "./net.js";
import { Now } from "./now.js";
import { PendingMoves } from "./pending_moves.js";
import { Scanner } from "./scanner.js";
import { choices, onPrinter, print, printer } from "./slip.js";
import { WalkIn } from "./walk.js";

const root = $("desk");
const counter = root.dataset.counter;
// The hospital's time, as on its boards, whatever zone this PC is set to.
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: root.dataset.zone });
const [words, reasons, sections, states, genders, queues, forms] = [
  "words",
  "reasons",
  "sections",
  "states",
  "genders",
  "queues",
  "forms",
].map((name) => JSON.parse(root.dataset[name]));
const deskWords = JSON.parse(root.dataset.deskWords);
const POLL_MS = 4000; // while the stream is cut (a proxy, a restart) the list still moves
const LOOK_MS = 30000; // and a lost hint costs no more than this
const TOAST_MS = 9000;
const IDLE_MS = 600000; // nobody has pressed a key for ten minutes

let endedToday = [], // who was finished or cancelled today, while the clerk searches
  endedAsked = 0;
let scans = Promise.resolve();
let moved = []; // when the last moves began, by performance.now()
let truth = null, // as the server said last
  view = null, // the same, after the moves that wait for the network
  ahead_ms = 0,
  asking = 0,
  shown = 0,
  lostAt = null,
  streaming = false,
  looked = 0,
  busy = false,
  ended = false,
  stop = () => undefined;
const now_ms = () => Date.now() + ahead_ms;
const list = new List($("list"), { ...words, note_tag: deskWords.note_tag }, sections, paintChosen);
const now = new Now(words, states, genders);
const colleagues = new Colleagues(deskWords, counter, clock);
const pending = new PendingMoves(deskWords, counter, {
  reasons,
  send: sendPending,
  changed: () => truth && paint(truth),
  ask: (move, text) =>
    askCame(text, (came) => {
      move.body.current = came;
      refresh();
    }),
});
const walkIn = new WalkIn(words, trouble, scannedTicket, (then) =>
  chooseOne(
    $("choice-title"),
    deskWords.why_sooner_new,
    reasons.map((one) => [one.mark && one.reason, one.mark ? one.label : deskWords.by_age]),
    then,
  ),
);
const heard = new Heard(states);
new Scanner(scanned, {
  first: (key) => heardKey(key),
  over: () => heard.end(),
  began: (key) => heard.scanBegan(keyOf(key).toLowerCase()),
});

// --- what the server says -------------------------------------------------------------------------------------------

async function refresh() {
  const mine = ++asking;
  looked = Date.now();
  try {
    const fresh = await get(`/console/desk?counter=${encodeURIComponent(counter)}`);
    if (navigator.onLine) line(true); // an answer may be on its way when the cable goes out
    if (await pending.sendAll()) return refresh();
    if (mine > shown) {
      shown = mine;
      paint(fresh);
    }
  } catch (cause) {
    trouble(cause) || line(false);
  }
}

// `isAnswer`: a key was pressed. Who is here now comes first; three hundred rows follow in the frame after it.
function paint(server, isAnswer = false) {
  truth = server;
  const fresh = pending.predict(server);
  view = fresh;
  ahead_ms = fresh.at_ms - Date.now();
  $("closed").hidden = fresh.counter_open;
  say($("closed"), fresh.counter_open ? "" : fill(words.counter_closed, { counter }));
  heard.across(() => now.render(fresh.current, fresh.details, fresh.at_ms));
  for (const button of document.querySelectorAll("#now [data-do]"))
    button.disabled = !possible(button.dataset.do, fresh.current);
  const paintRest = () => {
    if (view !== fresh) return; // painted anew meanwhile
    paintQueues();
    drawList(fresh.at_ms);
    colleagues.render(fresh, fresh.at_ms);
  };
  if (isAnswer) requestAnimationFrame(() => setTimeout(paintRest));
  else paintRest();
}

const queuesHere = () => view.queues.filter((one) => one.mine);

// While the clerk searches, who was finished or cancelled today is found as well.
function drawList(at_ms) {
  if (!view) return;
  const living = new Set(view.tickets.map((one) => one.id));
  const over = list.wanted ? endedToday.filter((one) => !living.has(one.id)) : [];
  const unlisted = queuesHere().reduce((sum, one) => sum + one.unlisted, 0);
  list.render([...view.tickets, ...over], counter, at_ms, unlisted);
}

function paintQueues() {
  const mine = queuesHere();
  const waiting = ({ id, unlisted }) =>
    unlisted + view.tickets.filter((one) => one.queue === id && one.state === "waiting").length;
  $("queues").replaceChildren(
    ...mine.map((one) => {
      const chip = make("li", one.open ? "chip" : "chip shut", `${one.name} `);
      chip.append(make("b", "", String(waiting(one))));
      return chip;
    }),
  );
}

function line(alive) {
  if (alive && lostAt) {
    lostAt = null;
    tell(words.back);
  }
  if (!alive && !lostAt) lostAt = new Date();
  $("link").className = alive ? "link" : "link down";
  $("lost").hidden = alive;
  if (lostAt) say($("lost"), fill(words.lost, { time: clock.format(lostAt) }));
}

// True when the trouble was dealt with here.
function trouble(cause) {
  if (!(cause instanceof SignedOut)) return false;
  if (!ended) {
    ended = true;
    stop();
    for (const open of document.querySelectorAll("dialog[open]")) open.close();
    const left = pending.waiting.map((one) => one.label).join(", ");
    say(
      $("locked-text"),
      [words.locked, left && fill(deskWords.pending_left, { moves: left })].filter(Boolean).join(" "),
    );
    $("locked").showModal();
  }
  return true;
}

// --- moves ----------------------------------------------------------------------------------------------------------

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

// Which buttons look pressable. The server decides; this only spares a useless press.
const possible = (what, ticket) =>
  !["view", "slip", "copy-for", "note", ...Object.keys(FROM)].includes(what) ||
  (ticket !== null && (FROM[what]?.includes(ticket.state) ?? !(what === "slip" && ENDED.includes(ticket.state))));

async function move(what, body) {
  if (busy || ended) return;
  if (what === "undo" && pending.waiting.length) return tell(pending.takeBack());
  const ticket =
    view?.tickets.find((one) => one.id === body.ticket) ?? (body.ticket === current()?.id ? current() : null);
  const numbered = pending.number(what, { counter, ...body }, ticket?.token ?? "");
  if (pending.waiting.length || lostAt) return wait(numbered);
  busy = true;
  heard.show(what, body.ticket && body.ticket === list.selected);
  const began = performance.now();
  root.setAttribute("aria-busy", "true");
  const chosen = list.selected; // painting the answer may take it off the list
  try {
    const answer = await post(`/console/desk/${what}`, numbered.body);
    apply(what, answer);
    if (answer.outcome === "UNANSWERED") askCame(answer.words, (came) => move(what, { ...body, current: came }));
    else tell(answer.words, answer.outcome === "MOVED" ? "" : "warn", answer.outcome === "MOVED" && what !== "undo");
    if (answer.outcome === "MOVED" && body.ticket === chosen) dealtWith();
    if (answer.outcome === "MOVED" && what !== "undo") moved = [...moved.slice(-9), began];
  } catch (cause) {
    if (cause instanceof NoAnswer) {
      line(false);
      numbered.wasSent = true;
      wait(numbered);
    } else if (!trouble(cause)) tell(cause.message, "warn");
  } finally {
    busy = false;
    heard.end();
    root.removeAttribute("aria-busy");
  }
  await refresh();
}

// The network is gone: the move waits in sight. Whether a called patient came is asked now, while the clerk knows it.
function wait(numbered) {
  const { what, body } = numbered;
  const refusal = pending.refusal(what, body.ticket ?? current()?.id);
  if (refusal) return tell(refusal, "warn");
  if (!numbered.wasSent && body.current === "ask" && current()?.state === "called")
    return askCame(fill(deskWords.came, current()), (came) => move(what, { ...body, current: came }));
  moved = [...moved.slice(-9), performance.now()];
  const chosen = list.selected;
  tell(pending.hold(numbered), "warn");
  if (body.ticket && body.ticket === chosen) dealtWith();
}

async function sendPending(what, body) {
  try {
    return await post(`/console/desk/${what}`, body);
  } catch (cause) {
    if (cause instanceof NoAnswer) line(false);
    trouble(cause);
    throw cause;
  }
}

// The answer is painted before the whole desk is fetched again: the next key must act on who is here now.
function apply(what, { outcome, ticket, details }) {
  if (!truth) return;
  const here = ticket && ticket.counter === counter && (ticket.state === "called" || ticket.state === "serving");
  if (here) Object.assign(truth, { current: ticket, details });
  else if ((what === "next" && outcome === "EMPTY") || (ticket && truth.current?.id === ticket.id))
    Object.assign(truth, { current: null, details: [] });
  const mine = new Set(queuesHere().map((one) => one.id));
  const over = (one) => ["done", "cancelled", "lapsed"].includes(one.state) || !mine.has(one.queue);
  if (ticket)
    truth.tickets = truth.tickets.map((one) => (one.id === ticket.id ? ticket : one)).filter((one) => !over(one));
  if (ticket) endedToday = endedToday.filter((one) => one.id !== ticket.id);
  paint({ ...truth, at_ms: now_ms() }, true);
}

const current = () => view?.current ?? null;
const target = (where) => (where === "current" ? current() : (list.ticket() ?? current()));

function onOne(what, where, more = {}) {
  const ticket = where === "here" ? current() : where === "chosen" ? list.ticket() : target(where);
  if (!ticket) return tell(where === "here" ? words.no_current : words.choose_first, "warn");
  return move(what, { ticket: ticket.id, ...more });
}

const ACTS = {
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
  transfer: (where) =>
    choose(
      $("choice-title"),
      `${target(where)?.token ?? ""} →`,
      where,
      view.queues.filter((one) => one.open && one.id !== target(where)?.queue).map((one) => [one.id, one.name]),
      (to) => onOne("transfer", where, { to }),
    ),
  lane: (where) =>
    choose(
      $("choice-title"),
      target(where) ? fill(deskWords.why_sooner, target(where)) : "",
      where,
      reasons.map((one) => [one.reason, one.label]),
      (reason) => onOne("lane", where, { reason }),
    ),
  cancel: () => sure(),
  view: () => look(),
  "copy-for": (where) => copyForForm(where),
  slip: (where) => printAgain(target(where), printer()),
  "slip-here": () => printAgain(target(), ""),
  "let-go": () => letGo(),
  "walk-in": () => register(""),
  "hand-over": () => handOver(),
  note: (where) => askNote(target(where)),
  counters: () => colleagues.toggle(now_ms()),
  break: () => (colleagues.backAt(now_ms()) ? setBreak({}) : colleagues.askBreak((body) => setBreak(body))),
};

// Written on the ticket, so that it goes along wherever the patient is sent.
function askNote(ticket) {
  if (!ticket) return tell(words.choose_first, "warn");
  say($("note-title"), fill(deskWords.note_title, ticket));
  $("note-text").value = ticket.note;
  $("note-form").onsubmit = (event) => {
    event.preventDefault();
    $("ask-note").close();
    sendForColleagues("note", { counter, ticket: ticket.id, note: $("note-text").value });
  };
  $("ask-note").showModal();
}

function handOver() {
  if (pending.waiting.length) return tell(deskWords.hand_over_later, "warn");
  $("ask-hand-over").showModal();
}

const setBreak = (body) => sendForColleagues("break", { counter, ...body });

async function sendForColleagues(what, body) {
  try {
    const answer = await post(`/console/desk/${what}`, body);
    tell(answer.words, answer.outcome === "MOVED" ? "" : "warn");
  } catch (cause) {
    trouble(cause) || tell(cause instanceof NoAnswer ? words.failed : cause.message, "warn");
  }
  await refresh();
}

function register(typed) {
  const known = view?.queues ?? queues; // a scanner does not wait for the list
  walkIn.open([...known.filter((one) => one.mine), ...known.filter((one) => !one.mine)], typed);
}

// What a scanner typed moves nobody: it fills the walk-in form, chooses a ticket in the list, or is named.
// One after another: of two scans in a row the last one is what the clerk sees.
function scanned(reading, playedAt) {
  scans = scans.then(() => answerScan(reading, playedAt));
}

// The first keys of a scan that halted were played as moves: they are taken back.
async function takeBack(playedAt) {
  while (busy) await new Promise((resume) => setTimeout(resume, 20));
  const mistaken = moved.filter((began) => began >= playedAt);
  moved = [];
  for (const _ of mistaken) await move("undo", {});
}

async function answerScan(reading, playedAt) {
  if (ended) return;
  if (playedAt !== null) await takeBack(playedAt);
  try {
    const found = await post("/console/scan", reading);
    if (found.patient) scannedPatient(found);
    else if (found.ticket) await scannedTicket(found);
    else tell(found.words, "warn");
  } catch (cause) {
    trouble(cause) || tell(cause instanceof NoAnswer ? words.failed : cause.message, "warn");
  }
}

function scannedPatient({ patient, words: doubt }) {
  if (!walkIn.dialog.open) {
    for (const open of document.querySelectorAll("dialog[open]")) open.close();
    register("");
  }
  // What was said of a scan before, which failed, is not true of this one.
  if ($("toast").classList.contains("warn")) $("toast").hidden = true;
  walkIn.fill(patient, doubt);
}

async function scannedTicket({ ticket, token }) {
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  showAll();
  list.select(ticket);
  $("list").focus();
  if (list.selected !== ticket) await searchEnded(ticket, token);
  const found = list.selected === ticket;
  if (!found) showAll();
  tell(fill(found ? words.slip_found : words.slip_not_listed, { token }), found ? "" : "warn");
}

// The list stays narrowed to this number: a ticket that ended today is only found by a search.
async function searchEnded(ticket, token) {
  $("search").value = token;
  list.search(token);
  await findEnded();
  list.select(ticket);
}

// `named`: the printer in the network; empty: the browser prints.
async function printAgain(ticket, named) {
  if (!ticket) return tell(words.choose_first, "warn");
  try {
    if (named) {
      const sent = await onPrinter(named, ticket.id);
      return tell(sent.words, sent.printed ? "" : "warn");
    }
    await print(await post("/console/slip", { ticket: ticket.id }), words);
  } catch (cause) {
    trouble(cause) || tell(cause instanceof NoAnswer ? words.failed : cause.message, "warn");
  }
}

async function look() {
  const ticket = list.ticket();
  if (!ticket) return tell(words.choose_first, "warn");
  try {
    const found = await post("/console/desk/patient", { ticket: ticket.id });
    say($("view-title"), [found.ticket.token, found.ticket.priority].filter(Boolean).join(" · "));
    describe($("view-details"), found.details);
    $("view").details = found.details;
    $("view").showModal();
  } catch (cause) {
    trouble(cause) || tell(cause instanceof NoAnswer ? words.failed : cause.message, "warn");
  }
}

// With one form there is nothing to choose.
function copyForForm(where) {
  const ticket = target(where);
  if (!ticket) return tell(words.choose_first, "warn");
  if (!forms.length) return tell(words.no_forms, "warn");
  const copyOne = async (form) => {
    try {
      tell(await copyFor(ticket, form));
    } catch (cause) {
      trouble(cause) || tell(cause instanceof NoAnswer ? words.failed : cause.message, "warn");
    }
  };
  if (forms.length === 1) return copyOne(forms[0]);
  choose(
    $("choice-title"),
    ticket.token,
    where,
    forms.map((form) => [form, form]),
    copyOne,
  );
}

function choose(title, text, where, options, then) {
  if (!target(where)) return tell(words.choose_first, "warn");
  return chooseOne(title, text, options, then);
}

function chooseOne(title, text, options, then) {
  const dialog = $("ask-choice");
  say(title, text);
  $("choice-list").replaceChildren(
    ...options.map(([id, name], at) => {
      const button = make("button", "choice", name);
      button.type = "button";
      if (at < 9) button.prepend(make("kbd", "", String(at + 1)), " ");
      button.addEventListener("click", () => {
        dialog.close();
        then(id);
      });
      return button;
    }),
  );
  dialog.showModal();
}

// Called, and never started: one key says whether the patient came, then the move is made. The key is not N: a second
// press of Next by habit would count somebody who never came as served.
function askCame(text, then) {
  const answer = (came) => {
    $("ask-came").close();
    then(came);
  };
  $("came-yes").onclick = () => answer("finish");
  $("came-no").onclick = () => answer("no_show");
  say($("came-text"), text);
  say($("said"), text);
  $("toast").hidden = true;
  if (!$("ask-came").open) $("ask-came").showModal();
  $("came-yes").focus();
}

function sure() {
  const ticket = list.ticket();
  if (!ticket) return tell(words.choose_first, "warn");
  $("sure-yes").onclick = () => {
    $("ask-sure").close();
    move("cancel", { ticket: ticket.id });
  };
  say($("sure-text"), fill(words.cancel_sure, { token: ticket.token }));
  $("ask-sure").showModal();
}

// --- what the clerk sees and presses --------------------------------------------------------------------------------

let toastTimer = 0;
function tell(text, kind = "", undoable = false) {
  say($("toast-text"), text);
  say($("said"), text);
  $("toast").className = `toast ${kind}`;
  $("toast").hidden = false;
  $("toast-undo").hidden = !undoable;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    $("toast").hidden = true;
  }, TOAST_MS);
}

function paintChosen(ticket) {
  $("chosen").hidden = !ticket;
  say($("chosen-who"), ticket ? ticket.token : "");
  for (const button of document.querySelectorAll("#chosen [data-do]"))
    button.hidden = !possible(button.dataset.do, ticket);
}

async function copyAll(details) {
  if (!details?.length) return;
  await copy(details);
  tell(words.copied);
}

const SHOWN_AT_ONCE = [
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
  delete: "cancel",
};

// A move that a key would make: shown at once, and made when no second key follows.
function heardKey(event) {
  if (busy || ended || lostAt || pending.waiting.length || !view || document.querySelector("dialog[open]")) return;
  const key = keyOf(event).toLowerCase();
  if (heard.beginsScans(key)) return;
  const what =
    key === "enter" ? (list.selected ? "" : "next") : key === "n" && event.shiftKey ? "call" : (KEYS[key] ?? "");
  const onChosen = ["call", "check-in", "bring-back"].includes(what);
  const ticket = onChosen ? list.ticket() : ["hold", "no-show"].includes(what) ? target() : current();
  if (!SHOWN_AT_ONCE.includes(what) || !possible(what, ticket)) return;
  heard.show(what, onChosen || (ticket && ticket.id === list.selected));
}

function pressed(event) {
  const inside = event.target.closest?.("input, select, textarea, dialog");
  if (event.target === $("search")) return searching(event);
  if (inside || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const key = keyOf(event).toLowerCase();
  const onControl = event.target.closest?.("button, a, summary");
  if (onControl && (key === " " || key === "enter")) return;
  const act = {
    arrowdown: () => list.step(1),
    arrowup: () => list.step(-1),
    pagedown: () => list.step(10),
    pageup: () => list.step(-10),
    home: () => list.step(-1e6),
    end: () => list.step(1e6),
  }[key];
  if (act) {
    event.preventDefault();
    $("list").focus();
    act();
    return;
  }
  if (event.repeat) {
    if (key === " " || key === "enter") event.preventDefault();
    return;
  }
  const done =
    key === "escape"
      ? letGo()
      : key === "/"
        ? $("search").focus()
        : key === "?"
          ? $("help").showModal()
          : key === "y"
            ? copyAll(now.details)
            : key === "enter"
              ? list.selected
                ? look()
                : ACTS.next()
              : key === "n" && event.shiftKey
                ? ACTS.call()
                : key === "l" && event.shiftKey
                  ? ACTS["slip-here"]()
                  : KEYS[key]
                    ? ACTS[KEYS[key]]()
                    : null;
  if (done !== null) event.preventDefault();
}

function searching(event) {
  if (event.key === "Escape") {
    letGo();
    $("list").focus();
  } else if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    $("list").focus();
    if (!list.selected) list.step(1);
  }
}

function letGo() {
  document.querySelector("details.menu").open = false;
  list.select("");
  showAll();
}

function dealtWith() {
  list.select("");
  if (document.activeElement !== $("search")) showAll();
}

// A list that stays narrowed hides whoever comes next.
function showAll() {
  $("search").value = "";
  filter();
}

function filter() {
  const searched = list.wanted;
  list.search($("search").value);
  if (list.wanted && !searched) findEnded();
  if (!list.wanted) endedToday = [];
  drawList(now_ms());
}

// Asked once for each search: the names of a whole day are not fetched with every change of the hall.
async function findEnded() {
  const mine = ++endedAsked;
  try {
    const found = await get(`/console/desk/ended?counter=${encodeURIComponent(counter)}`);
    if (mine !== endedAsked || !list.wanted) return;
    endedToday = found.tickets;
    drawList(now_ms());
  } catch (cause) {
    trouble(cause) || line(false);
  }
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => {
    $("list").focus(); // or the next Space would press this button again
    ACTS[button.dataset.do](button.dataset.on);
  });
}
$("search").addEventListener("input", filter);
$("copy").addEventListener("click", () => copyAll(now.details));
$("view-copy").addEventListener("click", () => copyAll($("view").details));
for (const [button, dialog] of [
  ["view-close", "view"],
  ["help-close", "help"],
  ["sure-no", "ask-sure"],
  ["came-leave", "ask-came"],
  ["hand-over-leave", "ask-hand-over"],
  ["note-leave", "ask-note"],
])
  $(button).addEventListener("click", () => $(dialog).close());
for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => $("list").focus());
$("locked").addEventListener("cancel", (event) => event.preventDefault());
$("view").addEventListener("keydown", (event) => {
  if (keyOf(event) === "y") copyAll($("view").details);
});
$("ask-came").addEventListener("keydown", (event) => {
  if (event.repeat)
    event.preventDefault(); // the held key that asked must not answer
  else if (keyOf(event) === "f") $("came-yes").click();
  else if (keyOf(event) === "x") $("came-no").click();
});
$("ask-choice").addEventListener("keydown", (event) => {
  if (/^[1-9]$/.test(event.key) && !event.repeat) $("choice-list").children[event.key - 1]?.click();
});
document.addEventListener("keydown", pressed);
document.addEventListener("click", (event) => {
  if (!event.target.closest("details.menu")) document.querySelector("details.menu").open = false;
});
// The browser knows at once that the cable is out; the stream would notice it later.
addEventListener("offline", () => line(false));
addEventListener("online", refresh);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !ended) refresh();
});

function tick() {
  say($("clock"), clock.format(now_ms()));
  if (view) {
    now.tick(now_ms());
    colleagues.tick(now_ms());
    drawList(now_ms());
  }
}
// A desk that is left alone takes a new release by itself; one in use says that it is there.
const idle = () =>
  streaming &&
  !busy &&
  !pending.waiting.length &&
  !document.querySelector("dialog[open]") &&
  !$("search").value &&
  window.kiosk.untouched(IDLE_MS);

setInterval(tick, 15000);
setInterval(() => {
  if (!ended && (!streaming || lostAt || Date.now() - looked > LOOK_MS)) refresh();
}, POLL_MS);
choices();
tick();
$("list").focus();
stop = follow(
  root.dataset.live,
  refresh,
  (alive) => {
    if (streaming && !alive && !ended) refresh();
    streaming = alive;
  },
  window.kiosk.renewal(idle, () => {
    $("renewed").hidden = false;
  }),
);
refresh();
