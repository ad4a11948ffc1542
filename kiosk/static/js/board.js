// The wall board: now called (number → counter), next numbers, last calls. It flashes and chimes on each call and recall.

(function (kiosk) {
  const { add, icon, make, replace } = kiosk;
  const LONG_FACILITY = 40; // characters of the hospital's name that fit in two large lines
  const SHORT_CALL = 7; // characters of a number and its counter, such as M-003 and M1, at full size
  const LONG_CALL = 12; // ENT-1000 and ENT1
  const LONGEST_CALL = 16; // a counter that is a room, such as OLD-BLOCK-17
  const LONG_WHO = 40; // characters of who serves that fit below the call in large letters
  const PAGE_MS = 9000;
  const OTHERS_SHOWN = 6;
  const LAST_SHOWN = 8;
  const HOME_SHOWN = 4; // numbers from home at one time; the others follow in turn
  const MISSED_SHOWN_MS = 90000;
  const TOO_LATE_MS = 180000; // a call that old is shown, not announced: the person came or is a no-show by now
  const CALL_READ_MS = 20000; // a call stays in the middle for so long before a new release may come
  const TOUCHED_MS = 60000; // whoever touched the screen has gone
  const CALLS_KEPT_MS = 300000; // the server lists the calls of the last five minutes,
  const CALLS_KEPT = 50; // and of those the newest 50

  const body = document.body;
  const $ = (id) => document.getElementById(id);
  const messages = new kiosk.Messages(
    JSON.parse(body.dataset.words),
    body.dataset.languages.split(","),
    body.dataset.digits
  );
  const corrected = kiosk.corrections(messages);
  const wanted = body.dataset.queues
    .split(",")
    .filter(Boolean)
    .map((name) => name.toUpperCase());
  const zone = body.dataset.zone;

  let hall = null;
  let lastCall = null; // sequence of the newest call that this board knows
  let lastAt = 0; // of the newest snapshot
  let announced = null; // the call in the middle while it is announced
  let page = 0;
  let awaySince = 0;
  let missed = new Set();
  let missedUntil = 0;
  let live = null;

  /** A number may come again the next day; its key does not. A store of an older release gives no keys. */
  const ticket = (call) => call.key || call.token;
  const newestFirst = (a, b) => b.at_ms - a.at_ms;
  const joined = (lists) => [].concat(...lists);

  const chime = new kiosk.Chime((on) => {
    body.dataset.sound = on ? "on" : "off";
    $("sound").setAttribute("aria-pressed", String(on));
    $("sound").querySelector(".icon").className = `icon icon-${on ? "sound" : "sound-off"}`;
    messages.put($("sound-words"), on ? "board.sound_on" : "board.sound_off");
  });

  const voice = new kiosk.Voice({
    address: body.dataset.voice,
    silence: body.dataset.silence,
    heard() {
      body.dataset.spoken = String(Number(body.dataset.spoken) + 1);
    },
  });

  const announcements = new kiosk.Announcements({
    box: $("announced"),
    text: $("announced-text"),
    address: body.dataset.announcements,
    concerns: (id) => queues().some((queue) => queue.id === id),
    add: (item) => announcer.add(item),
  });

  const announcer = new kiosk.Announcer({
    chime,
    stands,
    show(item) {
      const call = item && item.announcement ? null : item; // an announcement leaves the last call in the middle
      announced = call;
      body.dataset.announcing = call ? "yes" : "no";
      if (call) body.dataset.announced = String(Number(body.dataset.announced) + 1);
      draw();
      if (call) write(call);
    },
    rang() {
      body.dataset.chimes = String(Number(body.dataset.chimes) + 1);
    },
    speak(call, goOn) {
      if (call.announcement) return voice.speak(call, [[call.announcement.language, call.announcement.text]], goOn);
      const sentences = messages.codes.map((code) => [code, messages.say("board.spoken", spelled(call), code)]);
      return voice.speak(call, sentences, goOn);
    },
  });

  /** False for a call that was taken back: it left the server's list before its time. */
  function stands(call) {
    if (call.announcement) return announcements.stands(call.announcement, live.now());
    const calls = hall.calls;
    if (calls.some((other) => other.sequence === call.sequence)) return true;
    const pushedOut = calls.length >= CALLS_KEPT && calls[0].sequence > call.sequence;
    return pushedOut || call.at_ms < hall.at_ms - CALLS_KEPT_MS;
  }

  /** For voices: letters and digits apart, leading zeros dropped. M-042 → M 42 */
  function spelled(call) {
    const apart = (text) =>
      text
        .replace("-", " ")
        .replace(/\b0+(?=\d)/g, "")
        .replace(/([A-Z])(?=[A-Z0-9])/g, "$1 ");
    return { token: apart(call.token), counter: apart(call.counter) };
  }

  function write(call) {
    const line = make("p", "", messages.say("board.spoken", call));
    line.lang = messages.code;
    line.dir = messages.direction;
    replace($("announcement"), [line]);
  }

  function queues() {
    const all = hall ? hall.queues : [];
    if (!wanted.length) return all;
    return all.filter(
      (queue) => wanted.includes(queue.id.toUpperCase()) || wanted.includes(queue.prefix.toUpperCase())
    );
  }

  const callsNow = () => joined(queues().map((queue) => queue.now)).sort(newestFirst);
  const callsBefore = () => joined(queues().map((queue) => queue.recent)).sort(newestFirst);

  function hear(snapshot) {
    hall = snapshot;
    kiosk.screensChanged(snapshot.screens);
    corrected(snapshot.corrected);
    drawFacility();
    const fresh = freshCalls(snapshot);
    if (awaySince) notice(lastCall);
    remember(snapshot);
    const late = live ? live.now() - TOO_LATE_MS : 0;
    for (const call of fresh) if (call.at_ms > late) announcer.add(call);
    announcements.hear(snapshot.announcements, live ? live.now() : snapshot.at_ms);
    draw();
  }

  /** Calls and recalls that this board has not announced, oldest first. None at its start: those are only shown. */
  function freshCalls(snapshot) {
    if (lastCall === null) return [];
    const ids = new Set(queues().map((queue) => queue.id));
    return snapshot.calls.filter((call) => call.sequence > lastCall && ids.has(call.queue));
  }

  /** The count of calls goes down only in a store restored from a backup. An older snapshot of this one does not count. */
  function remember(snapshot) {
    const restored = snapshot.last_call < lastCall && snapshot.at_ms > lastAt;
    if (lastCall === null || snapshot.last_call > lastCall || restored) lastCall = snapshot.last_call;
    lastAt = Math.max(lastAt, snapshot.at_ms);
  }

  /** Calls that came and went while the screen was away stand out for a while. */
  function notice(known) {
    const here = new Set(callsNow().map(ticket));
    const gone = callsBefore().filter((call) => call.sequence > known && !here.has(ticket(call)));
    awaySince = 0;
    if (!gone.length) return;
    missed = new Set(gone.map(ticket));
    missedUntil = Date.now() + MISSED_SHOWN_MS;
  }

  function draw() {
    const calls = callsNow();
    const first = announced || calls[0] || null;
    drawHero(first);
    drawOthers(calls, first);
    drawQueues();
    drawHome();
    drawBreaks();
    drawLast(new Set(calls.map(ticket)));
  }

  function drawFacility() {
    messages.name($("facility-name"), hall);
    mark($("facility-name").parentElement, "data-long", messages.isLong(hall, LONG_FACILITY), "");
  }

  function drawHero(call) {
    const hero = $("hero");
    const token = call ? call.token : "";
    const counter = call ? call.counter : "";
    hero.dataset.token = token;
    hero.dataset.counter = counter;
    hero.dataset.again = announced && announced.calls > 1 ? "yes" : "no";
    const who = servedBy(counter);
    markLength(hero, token + counter);
    mark(hero, "data-who", who, who.length > LONG_WHO ? "long" : "short");
    hero.querySelector(".token").textContent = token;
    hero.querySelector(".counter").textContent = counter;
    hero.querySelector(".who").textContent = who;
  }

  /** A number and a counter of more characters than M-003 and M1 are drawn smaller. */
  function markLength(element, text) {
    const step = text.length < LONGEST_CALL ? Math.min(text.length, LONG_CALL) : LONGEST_CALL;
    mark(element, "data-long", text.length > SHORT_CALL, String(step));
  }

  function mark(element, name, on, value) {
    if (on) element.setAttribute(name, value);
    else element.removeAttribute(name);
    return element;
  }

  /** Who serves at a counter; empty where the facility does not say. */
  function servedBy(name) {
    const counter = hall.counters.find((one) => one.name === name);
    return (counter && counter.served_by) || "";
  }

  function callLine(call) {
    const line = make("li");
    line.dataset.token = call.token;
    line.dataset.counter = call.counter;
    markLength(line, call.token + call.counter);
    const token = make("strong", "token", call.token);
    const counter = make("strong", "counter", call.counter);
    token.dir = counter.dir = "ltr";
    return add(line, [token, icon("arrow", "turn"), counter]);
  }

  /** The part of a long list whose turn it is. */
  function turnOf(list, room) {
    if (list.length <= room) return list;
    const from = (page % Math.ceil(list.length / room)) * room;
    return list.slice(from, from + room);
  }

  /** The calls beside the newest one; in a hall with more counters than fit here, all of its counters. */
  function drawOthers(calls, first) {
    const isFirst = (call) => first && ticket(call) === ticket(first);
    const ids = queues().map((queue) => queue.id);
    const counters = (hall && hall.counters) || [];
    const places = kiosk.counterPlaces(counters, ids, calls);
    const lines = places || calls.filter((call) => !isFirst(call));
    const room = places ? kiosk.roomOf(places, counters, queues()) : OTHERS_SHOWN;
    const box = $("others").parentElement;
    box.dataset.others = String(lines.length);
    mark(box, "data-counters", places, String(room));
    mark(box.parentElement, "data-counters", places, String(room));
    const shown = turnOf(lines, room).map((call) => mark(callLine(call), "data-newest", isFirst(call), ""));
    replace($("others"), shown);
    $("calls-turn").textContent = turnText(lines.length, room);
  }

  function drawQueues() {
    const all = queues();
    const room = kiosk.queueRoom(all.length);
    const shown = turnOf(all, room);
    const size = kiosk.isQueueList(room) ? room : shown.length;
    const cards = shown.map((queue) => kiosk.queueCard(queue, size, messages));
    if (!cards.length && hall) {
      const none = make("p", "none");
      messages.put(none, "board.no_queues");
      cards.push(none);
    }
    const box = $("queues");
    box.dataset.room = String(size);
    mark(box, "data-list", kiosk.isQueueList(room), kiosk.widthOfNumbers(all));
    if (kiosk.isQueueList(room)) cards.unshift(kiosk.queueColumns(messages, turnText(all.length, room)));
    replace(box, cards);
  }

  /** Which part of a long list is shown, such as 1/3; empty where all of it is. */
  function turnText(length, room) {
    const parts = Math.ceil(length / room);
    return parts < 2 ? "" : `${messages.digits((page % parts) + 1)}/${messages.digits(parts)}`;
  }

  /** Numbers taken at home wait for their holder to check in. */
  function drawHome() {
    const tokens = joined(queues().map((queue) => queue.expected_tokens));
    $("home").hidden = !tokens.length;
    replace($("home-numbers"), turnOf(tokens, HOME_SHOWN).map(kiosk.numberItem));
  }

  /** Counters whose clerk comes back at a time. Each goes from the board by itself when its time has come. */
  function drawBreaks() {
    const ids = queues().map((queue) => queue.id);
    const serves = (name) =>
      hall.counters.some((counter) => counter.name === name && counter.queues.some((id) => ids.includes(id)));
    const now = live ? live.now() : 0;
    const away = ((hall && hall.breaks) || []).filter((one) => one.back_ms > now && serves(one.counter));
    $("breaks").hidden = !away.length;
    replace($("break-lines"), turnOf(away, HOME_SHOWN).map(breakLine));
  }

  function breakLine(one) {
    const text = make("bdi");
    text.dir = "ltr"; // not the line: what stands between two lines follows the page
    const time = document.createTextNode(` ${kiosk.hour(one.back_ms, zone, messages)}`);
    return add(make("li", "break"), [add(text, [make("strong", "counter", one.counter), time])]);
  }

  function drawLast(here) {
    const noticed = Date.now() < missedUntil;
    const seen = new Set(here);
    const lines = [];
    for (const call of callsBefore()) {
      if (seen.has(ticket(call)) || (noticed && !missed.has(ticket(call)))) continue;
      seen.add(ticket(call));
      lines.push(callLine(call));
    }
    const list = $("last");
    body.dataset.missed = noticed ? "yes" : "no";
    messages.put($("last-title"), noticed ? "board.missed" : "board.last");
    $("last-title").hidden = !lines.length; // the room stays, so that nothing moves with the first of them
    replace(list, lines.slice(0, LAST_SHOWN));
    while (list.scrollWidth > list.clientWidth + 1 && list.lastChild) list.removeChild(list.lastChild);
  }

  /** Nothing is announced, nobody touches the screen, and the calls of the last moments were seen by everybody. */
  function isQuiet() {
    const calls = callsNow();
    const fresh = calls.length && live.now() - calls[0].at_ms < CALL_READ_MS;
    return body.dataset.announcing !== "yes" && !fresh && body.dataset.link === "live" && kiosk.untouched(TOUCHED_MS);
  }

  function linkIs(state, sinceMs) {
    if (state !== "live" && body.dataset.link === "live") awaySince = sinceMs;
    body.dataset.link = state;
    $("old").hidden = state === "live";
    messages.put($("link-words"), state === "live" ? "common.live" : "common.connecting");
    if (state !== "live") messages.put($("old-words"), "common.stale", { time: kiosk.hour(sinceMs, zone, messages) });
  }

  function tick() {
    const now = live.now();
    kiosk.followHours(hall.hours || {}, now, zone, $("quiet"));
    announcements.tick(now);
    const text = kiosk.hour(now, zone, messages);
    if ($("clock").textContent !== text) $("clock").textContent = text;
    const date = kiosk.day(now, zone, messages);
    if ($("date").textContent !== date) {
      Object.assign($("date"), { lang: messages.code, dir: messages.direction, textContent: date });
    }
  }

  kiosk.stayAwakeOrSay();
  kiosk.bringLetters();
  hear(JSON.parse(body.dataset.snapshot));
  const pages = kiosk.renewal(isQuiet);
  live = new kiosk.Live(body.dataset.live, { snapshot: hear, state: linkIs, nowMs: Number(body.dataset.now), pages });
  kiosk.takeTurns(messages, () => {
    messages.everywhere();
    tick();
    draw();
  });
  addEventListener("resize", draw); // a turned screen has room for other numbers
  setInterval(tick, 1000);
  setInterval(() => {
    page += 1;
    announcements.nextTurn();
    draw();
  }, PAGE_MS);
  tick();
  document.documentElement.dataset.running = "yes";
})(window.kiosk);
