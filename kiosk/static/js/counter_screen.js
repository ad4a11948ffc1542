// The counter's QR screen: a code that is never older than its slot, how many wait, who is called.

(function (kiosk) {
  const { icon, make, replace } = kiosk;
  const CALLED = 3;
  const SERVING = 4;
  const TRY_AGAIN_MS = 5000;
  const ANSWER_MS = 10000; // a server that takes longer for a code is as good as away
  const READING_MS = 60000; // after a person chose a language
  const AWAY_MS = 30000; // a restart of the server takes less; after this the screen sends people to the desk
  const LONG_FACILITY = 40; // characters of the hospital's name that fit in one line
  const HOME_SHOWN = 4; // numbers from home at one time; the others follow in turn
  const PAGE_MS = 9000;
  const SHORT_CALL = 8; // characters of a number, and of its counter where that is another one, at full size
  const ELSEWHERE_SHOWN = 6; // open counters that are named while this one is closed

  const body = document.body;
  const $ = (id) => document.getElementById(id);
  const messages = new kiosk.Messages(JSON.parse(body.dataset.words), body.dataset.languages.split(","), "latin");
  const corrected = kiosk.corrections(messages);

  let drawn = JSON.parse(body.dataset.drawn);
  let offset = drawn.now_ms - Date.now();
  let awaySince = 0; // of this machine's clock; 0 while the server is heard
  let homeTokens = null;
  let backAt = null; // when this counter's clerk is back; 0 without a break
  let page = 0;

  function schedule(ms) {
    setTimeout(renew, ms);
  }

  /** Fetch the next code when its slot begins, a little spread so that all screens of a state do not ask in one moment. */
  function untilNext() {
    return Math.max(500, drawn.rotates_at_ms - (Date.now() + offset)) + Math.random() * 1500;
  }

  function renew() {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("late")), ANSWER_MS));
    const codes = fetch(body.dataset.qr, { cache: "no-store", credentials: "same-origin" }).then((response) => {
      if (!response.ok) throw new Error(String(response.status));
      return response.json();
    });
    Promise.race([codes, late])
      .then(show)
      .then(
        () => schedule(untilNext()),
        () => schedule(TRY_AGAIN_MS * (0.7 + Math.random()))
      );
  }

  /** Swap the pictures only when the new ones are loaded: a half-loaded code cannot be scanned. */
  function show(next) {
    if (next.fresh !== (body.dataset.fresh === "yes")) location.reload(); // paired or removed meanwhile
    return Promise.all(["abdm", "camera"].map((name) => swap(name, next[name]))).then(() => {
      drawn = next;
      offset = next.now_ms - Date.now();
      age();
    });
  }

  function swap(name, code) {
    const picture = $(name);
    if (!picture || !code || picture.getAttribute("src") === code.svg) return null;
    return loaded(code.svg).then(() => {
      picture.src = code.svg;
      picture.parentElement.dataset.text = code.text;
    });
  }

  function loaded(address) {
    return new Promise((done, fail) => {
      const ready = new Image();
      ready.onload = done;
      ready.onerror = () => fail(new Error(address));
      ready.src = address;
    });
  }

  /** A code of a past slot still works for minutes; beyond that the screen must not invite anybody to scan it. A server
   *  that is away for long cannot answer a scan: the screen says so, and keeps its codes small. */
  function age() {
    const now = Date.now() + offset;
    const over = now > drawn.good_until_ms;
    const away = awaySince > 0 && Date.now() - awaySince > AWAY_MS;
    body.dataset.code = over ? "old" : away ? "away" : "fresh";
    $("old").hidden = !over && !away;
    const share = Math.min(1, Math.max(0, (drawn.rotates_at_ms - now) / Math.max(1, drawn.slot_ms)));
    $("age").style.width = `${Math.round(share * 100)}%`;
  }

  function linkIs(state) {
    body.dataset.link = state;
    if (state === "live") awaySince = 0;
    else awaySince = awaySince || Date.now();
    age();
  }

  function hear(hall) {
    kiosk.screensChanged(hall.screens);
    corrected(hall.corrected);
    const queue = hall.queues.find((one) => one.id === body.dataset.queue);
    const counter = hall.counters.find((one) => one.name === body.dataset.counter);
    messages.name($("facility-name"), hall);
    body.dataset.longName = messages.isLong(hall, LONG_FACILITY) ? "yes" : "no";
    if (!queue) return;
    messages.name($("queue-name"), queue);
    drawWho((counter && counter.served_by) || "");
    $("waiting").textContent = messages.digits(queue.waiting);
    const here = queue.now.find((call) => call.counter === body.dataset.counter && isWith(call));
    const called = here || queue.now[0] || queue.recent[0];
    replace($("now"), called ? callParts(called) : [document.createTextNode("–")]);
    markLength($("now"), $("now").textContent.length);
    body.dataset.open = queue.open && (!counter || counter.open) ? "yes" : "no";
    drawElsewhere(queue.open ? hall.counters.filter(givesNumbersOf(queue)) : []);
    drawHours(queue);
    backAt = ((hall.breaks || []).find((one) => one.counter === body.dataset.counter) || { back_ms: 0 }).back_ms;
    drawBreak();
    homeTokens = queue.expected_tokens;
    drawHome();
  }

  /** Long numbers are drawn smaller. */
  function markLength(element, characters) {
    if (characters > SHORT_CALL) element.dataset.long = characters < 16 ? Math.min(characters, 12) : 16;
    else delete element.dataset.long;
  }

  const givesNumbersOf = (queue) => (counter) =>
    counter.open && counter.name !== body.dataset.counter && counter.queues[0] === queue.id;

  /** The counters at which the same queue gives numbers, while this one is closed. */
  function drawElsewhere(counters) {
    $("elsewhere").hidden = !counters.length;
    const badges = counters.slice(0, ELSEWHERE_SHOWN).map((one) => make("strong", "counter", one.name));
    replace($("elsewhere-counters"), badges);
  }

  function drawWho(name) {
    body.dataset.who = name ? "yes" : "no";
    $("who").hidden = !name;
    $("who").firstElementChild.textContent = name;
  }

  /** The hours of today, and when the queue opens that they keep closed. */
  function drawHours(queue) {
    const today = (queue.today || []).join(", ");
    $("hours").hidden = !today;
    messages.put($("hours"), "common.hours_today", { hours: today });
    $("opens").hidden = !queue.opens;
    if (queue.opens) messages.opens($("opens"), queue.opens);
  }

  const isWith = (call) => call.state === CALLED || call.state === SERVING;

  /** The number; and where to, when that is another counter than this one. */
  function callParts(call) {
    const token = make("span", "token", call.token);
    token.dir = "ltr";
    if (call.counter === body.dataset.counter) return [token];
    return [token, icon("arrow", "turn"), make("span", "counter elsewhere", call.counter)];
  }

  /** The clerk comes back at a time. It goes by itself when the time has come. */
  function drawBreak() {
    if (backAt === null) return; // the server wrote it; the first snapshot is still to come
    const away = backAt > Date.now() + offset;
    $("back").hidden = !away;
    if (away) messages.put($("back-words"), "counter_screen.back", { time: kiosk.hour(backAt, body.dataset.zone) });
  }

  /** Numbers taken at home, which their holders check in by scanning this screen. */
  function drawHome() {
    if (!homeTokens) return; // the server wrote them; the first snapshot is still to come
    const from = (page % Math.max(1, Math.ceil(homeTokens.length / HOME_SHOWN))) * HOME_SHOWN;
    $("home").hidden = !homeTokens.length;
    body.dataset.home = homeTokens.length ? "yes" : "no";
    replace($("home-numbers"), homeTokens.slice(from, from + HOME_SHOWN).map(numberItem));
  }

  function numberItem(token) {
    const item = make("li", "token", token);
    item.dir = "ltr";
    return item;
  }

  function redraw() {
    messages.everywhere();
    buttons().forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.language === messages.code));
    });
  }

  const buttons = () => Array.from(document.querySelectorAll("[data-language]"));

  kiosk.stayAwakeOrSay();
  kiosk.bringLetters();
  const quiet = () => body.dataset.link === "live" && kiosk.untouched(READING_MS);
  new kiosk.Live(body.dataset.live, { snapshot: hear, state: linkIs, pages: kiosk.renewal(quiet) });
  const turns = kiosk.takeTurns(messages, redraw);
  buttons().forEach((button) => {
    button.addEventListener("click", () => {
      messages.code = button.dataset.language;
      turns.hold(READING_MS);
      redraw();
    });
  });

  kiosk.checkInHere(
    messages,
    (ms) => turns.hold(ms),
    () => homeTokens || []
  );
  redraw();
  age();
  setInterval(age, 1000);
  setInterval(() => {
    page += 1;
    drawHome();
    drawBreak();
  }, PAGE_MS);
  schedule(untilNext());
  document.documentElement.dataset.running = "yes";
})(window.kiosk);
