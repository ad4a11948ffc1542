// Speaks to the server: JSON in, JSON out, and one stream that only hints that something changed.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const prefix = document.body.dataset.prefix ?? ""; // the path under which the service stands, such as /opd
const PATIENCE_MS = 8000; // longer than the server's own deadline: a later answer would be another clerk's world
const SETTLE_MS = 120; // several changes of one moment become one fetch

let lastHand = Date.now();
for (const kind of ["keydown", "pointerdown"])
  addEventListener(
    kind,
    () => {
      lastHand = Date.now();
    },
    { capture: true, passive: true },
  );
let lastCounted = 0;

export class SignedOut extends Error {}
export class NoAnswer extends Error {}

// XMLHttpRequest: on a slow PC its answer is here 4 ms sooner than one of fetch, which comes in more pieces.
function ask(method, address, headers, body) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open(method, prefix + address);
    request.responseType = "json";
    request.timeout = PATIENCE_MS;
    for (const [name, value] of Object.entries({ accept: "application/json", ...headers }))
      request.setRequestHeader(name, value);
    request.onload = () =>
      request.status >= 200 && request.status < 300 ? done(request.response ?? {}) : fail(refusal(request));
    request.onerror = request.ontimeout = () => fail(new NoAnswer("no answer"));
    request.send(body);
  });
}

function refusal({ status, response }) {
  if (status === 401) return new SignedOut();
  return Object.assign(new Error(response?.detail ?? `answer ${status}`), { status });
}

// The screen's own refreshing must not keep an abandoned desk signed in: it counts as use only after a key or a click.
export function get(address) {
  const used = lastHand > lastCounted;
  if (used) lastCounted = Date.now();
  return ask("GET", address, used ? {} : { "x-kiosk-live": "1" });
}

export function post(address, body) {
  return ask("POST", address, { "content-type": "application/json", "x-csrf-token": token }, JSON.stringify(body));
}

// Calls `changed` at connect and after every change; `state(true|false)` when the line comes or goes; `pages(mark)` with
// the mark of the pages that the server has now. All desks and screens of a browser share one stream.
export function follow(address, changed, state, pages) {
  let timer = 0;
  const hint = () => {
    timer ||= setTimeout(() => {
      timer = 0;
      changed();
    }, SETTLE_MS);
  };
  let alive = false;
  const live = new window.kiosk.Live(address, {
    snapshot: hint,
    state: (how) => {
      if (how === "stale" || (how === "live" && !alive)) hint();
      alive = how !== "lost";
      state(alive);
    },
    pages,
  });
  return () => {
    clearTimeout(timer);
    live.end();
  };
}
