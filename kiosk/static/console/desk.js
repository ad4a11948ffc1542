// The desk: one key for next, one for every other move; what the screen shows is what the server said last.

import { actsOf } from "./acts.js";
import { Colleagues } from "./colleagues.js";
import { askCame, chooseOne, closeAll, isOneOpen, listen } from "./dialogs.js";
import { $, fill, frameShown, keyOf, make, say } from "./dom.js";
import { Heard } from "./heard.js";
import { actOf } from "./keys.js";
import { Link } from "./link.js";
import { List } from "./list.js";
import { SHOWN_AT_ONCE, possible } from "./moves.js";
import { NoAnswer, SignedOut, follow, get, post } from "./net.js";
import { Now } from "./now.js";
import { OneTicket } from "./one_ticket.js";
import { PendingMoves } from "./pending_moves.js";
import { listenForPresses } from "./presses.js";
import { Scanner } from "./scanner.js";
import { Scans } from "./scans.js";
import { Search } from "./search.js";
import { choices } from "./slip.js";
import { tell } from "./toast.js";
import { UnreadScans } from "./unread_scans.js";
import { WalkIn } from "./walk.js";

const root = $("desk");
const counter = root.dataset.counter;
// The hospital's time, as on its boards, whatever zone this PC is set to.
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: root.dataset.zone });
const [messages, reasons, sections, states, genders, queues, forms] = [
  "words",
  "reasons",
  "sections",
  "states",
  "genders",
  "queues",
  "forms",
].map((name) => JSON.parse(root.dataset[name]));
const deskMessages = JSON.parse(root.dataset.deskWords);
const POLL_MS = 4000; // while the stream is cut (a proxy, a restart) the list still moves
const LOOK_MS = 30000; // and a lost hint costs no more than this
const IDLE_MS = 600000; // nobody has pressed a key for ten minutes

let truth = null, // as the server said last
  view = null, // the same, after the moves that wait for the network
  ahead_ms = 0,
  asking = 0,
  shown = 0,
  streaming = false,
  looked = 0,
  busy = false,
  ended = false,
  stop = () => undefined;
const now_ms = () => Date.now() + ahead_ms;
const list = new List($("list"), { ...messages, note_tag: deskMessages.note_tag }, sections, paintChosen);
const link = new Link(messages, clock);
const now = new Now(messages, states, genders);
const colleagues = new Colleagues(deskMessages, counter, clock);
const pending = new PendingMoves(deskMessages, counter, {
  reasons,
  send: sendPending,
  changed: () => truth && paint(truth),
  ask: (move, text) =>
    askCame(text, (came) => {
      move.body.current = came;
      refresh();
    }),
});
const walkIn = new WalkIn(
  messages,
  trouble,
  (found) => scans.ticket(found),
  (then) =>
    chooseOne(
      deskMessages.why_sooner_new,
      reasons.map((one) => [one.mark && one.reason, one.mark ? one.label : deskMessages.by_age]),
      then,
    ),
);
const heard = new Heard(states);
const search = new Search(list, counter, {
  draw: () => drawList(now_ms()),
  failed: (cause) => trouble(cause) || link.set(false),
});
const oneTicket = new OneTicket(messages, forms, failed);
const scans = new Scans(messages, {
  list,
  search,
  walkIn,
  failed,
  isBusy: () => busy,
  hasEnded: () => ended,
  undo: () => move("undo", {}),
  during: (work) => unread.during(work),
  register,
});
const current = () => view?.current ?? null;
const target = (where) => (where === "current" ? current() : (list.ticket() ?? current()));
const acts = actsOf(
  { messages, deskMessages, reasons },
  {
    counter,
    list,
    now,
    pending,
    colleagues,
    oneTicket,
    current,
    target,
    move,
    refresh,
    register,
    letGo,
    failed,
    now_ms,
    queues: () => view.queues,
  },
);
const scanner = new Scanner((...scan) => scans.take(...scan), {
  first: (key) => heardKey(key),
  over: () => busy || heard.end(),
  began: (key) => heard.scanBegan(keyOf(key).toLowerCase()),
});
const unread = new UnreadScans(messages, scanner);

// --- what the server says -------------------------------------------------------------------------------------------

async function refresh() {
  const mine = ++asking;
  looked = Date.now();
  try {
    const fresh = await get(`/console/desk?counter=${encodeURIComponent(counter)}`);
    if (navigator.onLine) link.set(true); // an answer may be on its way when the cable goes out
    if (await pending.sendAll()) return refresh();
    if (mine > shown) {
      shown = mine;
      paint(fresh);
    }
  } catch (cause) {
    trouble(cause) || link.set(false);
  }
}

// `isAnswer`: a key was pressed. Who is here now comes first; what can be pressed and three hundred rows follow in the
// frame after it.
function paint(server, isAnswer = false) {
  truth = server;
  const fresh = pending.predict(server);
  view = fresh;
  ahead_ms = fresh.at_ms - Date.now();
  $("closed").hidden = fresh.counter_open;
  say($("closed"), fresh.counter_open ? "" : fill(messages.counter_closed, { counter }));
  heard.across(() => now.render(fresh.current, fresh.details, fresh.at_ms));
  const paintRest = () => {
    if (view !== fresh) return; // painted anew meanwhile
    for (const button of document.querySelectorAll("#now [data-do]"))
      button.disabled = !possible(button.dataset.do, fresh.current);
    paintQueues();
    drawList(fresh.at_ms);
    colleagues.render(fresh, fresh.at_ms);
  };
  if (isAnswer) frameShown().then(paintRest);
  else paintRest();
}

const queuesHere = () => view.queues.filter((one) => one.mine);

function drawList(at_ms) {
  if (!view) return;
  const living = new Set(view.tickets.map((one) => one.id));
  const unlisted = queuesHere().reduce((sum, one) => sum + one.unlisted, 0);
  list.render([...view.tickets, ...search.over(living)], counter, at_ms, unlisted);
}

function paintQueues() {
  const mine = queuesHere();
  const waiting = ({ id, unlisted }) =>
    unlisted + view.tickets.filter((one) => one.queue === id && one.state === "waiting").length;
  $("queues").replaceChildren(
    ...mine.map((one) => {
      const chip = make("li", one.open ? "chip" : "chip shut", `${one.name} `);
      chip.dir = "auto"; // a long name is cut at its own end
      chip.append(make("b", "", String(waiting(one))));
      return chip;
    }),
  );
}

// True when the trouble was dealt with here.
function trouble(cause) {
  if (!(cause instanceof SignedOut)) return false;
  if (!ended) {
    ended = true;
    stop();
    closeAll();
    const left = pending.waiting.map((one) => one.label).join(", ");
    say(
      $("locked-text"),
      [messages.locked, left && fill(deskMessages.pending_left, { moves: left })].filter(Boolean).join(" "),
    );
    $("locked").showModal();
  }
  return true;
}

// What the server did not do is said, unless the trouble was dealt with.
function failed(cause) {
  trouble(cause) || tell(cause instanceof NoAnswer ? messages.failed : cause.message, "warn");
}

// --- moves ----------------------------------------------------------------------------------------------------------

async function move(what, body) {
  if (busy || ended) return;
  if (what === "undo" && pending.waiting.length) return tell(pending.takeBack());
  const ticket =
    view?.tickets.find((one) => one.id === body.ticket) ?? (body.ticket === current()?.id ? current() : null);
  const numbered = pending.number(what, { counter, ...body }, ticket?.token ?? "");
  if (pending.waiting.length || link.lostAt) return wait(numbered);
  busy = true;
  const began = performance.now();
  const chosen = list.selected; // painting the answer may take it off the list
  try {
    const request = post(`/console/desk/${what}`, numbered.body); // first: what is shown meanwhile must not hold it up
    heard.show(what, body.ticket && body.ticket === chosen);
    root.setAttribute("aria-busy", "true"); // no style looks at it: a frame now would make the answer wait for the next one
    const answer = await request;
    heard.end();
    apply(what, answer);
    if (answer.outcome === "UNANSWERED") askCame(answer.words, (came) => move(what, { ...body, current: came }));
    else tell(answer.words, answer.outcome === "MOVED" ? "" : "warn", answer.outcome === "MOVED" && what !== "undo");
    if (answer.outcome === "MOVED" && body.ticket === chosen) dealtWith();
    if (answer.outcome === "MOVED" && what !== "undo") scans.moved(began);
  } catch (cause) {
    if (cause instanceof NoAnswer) {
      link.set(false);
      numbered.wasSent = true;
      wait(numbered);
    } else if (!trouble(cause)) tell(cause.message, "warn");
  } finally {
    busy = false;
    heard.end();
    root.removeAttribute("aria-busy");
  }
  await frameShown(); // what became of the move is on the screen before the desk is asked for
  await refresh();
}

// The network is gone: the move waits in sight. Whether a called patient came is asked now, while the clerk knows it.
function wait(numbered) {
  const { what, body } = numbered;
  const refusal = pending.refusal(what, body.ticket ?? current()?.id);
  if (refusal) return tell(refusal, "warn");
  if (!numbered.wasSent && body.current === "ask" && current()?.state === "called")
    return askCame(fill(deskMessages.came, current()), (came) => move(what, { ...body, current: came }));
  scans.moved(performance.now());
  const chosen = list.selected;
  tell(pending.hold(numbered), "warn");
  if (body.ticket && body.ticket === chosen) dealtWith();
}

async function sendPending(what, body) {
  try {
    return await post(`/console/desk/${what}`, body);
  } catch (cause) {
    if (cause instanceof NoAnswer) link.set(false);
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
  if (ticket) search.forget(ticket.id);
  paint({ ...truth, at_ms: now_ms() }, true);
}

function register() {
  const known = view?.queues ?? queues; // a scanner does not wait for the list
  walkIn.open([...known.filter((one) => one.mine), ...known.filter((one) => !one.mine)], "");
}

// --- what the clerk sees and presses --------------------------------------------------------------------------------

function paintChosen(ticket) {
  $("chosen").hidden = !ticket;
  say($("chosen-who"), ticket ? ticket.token : "");
  for (const button of document.querySelectorAll("#chosen [data-do]"))
    button.hidden = !possible(button.dataset.do, ticket);
}

// A move that a key would make: shown at once, and made when no second key follows.
function heardKey(event) {
  if (busy || ended || link.lostAt || pending.waiting.length || !view || isOneOpen() || unread.isOn()) return;
  if (heard.beginsScans(keyOf(event).toLowerCase())) return;
  const what = actOf(event, list.selected);
  const onChosen = ["call", "check-in", "bring-back"].includes(what);
  const ticket = onChosen ? list.ticket() : ["hold", "no-show"].includes(what) ? target() : current();
  if (!SHOWN_AT_ONCE.includes(what) || !possible(what, ticket)) return;
  heard.show(what, onChosen || (ticket && ticket.id === list.selected));
}

function letGo() {
  document.querySelector("details.menu").open = false;
  list.select("");
  search.showAll();
}

function dealtWith() {
  list.select("");
  if (document.activeElement !== $("search")) search.showAll();
}

listen();
listenForPresses(acts, list, letGo);
// The browser knows at once that the cable is out; the stream would notice it later.
addEventListener("offline", () => link.set(false));
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
  !isOneOpen() &&
  !$("search").value &&
  window.kiosk.untouched(IDLE_MS);

setInterval(tick, 15000);
setInterval(() => {
  if (!ended && (!streaming || link.lostAt || Date.now() - looked > LOOK_MS)) refresh();
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
