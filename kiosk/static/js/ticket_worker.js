// The service worker of the ticket page: it keeps the pages that were opened in this browser, each under its own address, so that
// one opens without a network and shows its last news. It sees no other page: its scope is /t/.

const PAGES = "kiosk-pages";
const FILES = "kiosk-files";
const PAGES_KEPT = 4; // a family's tickets of one day
const KEPT_MS = 86_400_000; // numbers are for one day
const PATIENCE_MS = 8_000; // slow 3G brings the page in two seconds; after this the stored page is better than a white one
const FILES_PATH = new URL("../static/", self.registration.scope).pathname;
const SCOPE_PATH = new URL(self.registration.scope).pathname;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && isTicket(url)) event.respondWith(page(event.request, url));
  else if (url.pathname.startsWith(FILES_PATH)) event.respondWith(file(event.request));
});

// The page that was opened first was not yet seen by this worker: it names its files, and is stored now.
self.addEventListener("message", (event) => {
  const url = new URL(event.source.url);
  const files = (event.data.keep ?? []).filter((one) => new URL(one).pathname.startsWith(FILES_PATH));
  if (!isTicket(url)) return;
  const pageKept = fetch(url.href, { cache: "no-store" }).then((answer) => keepPage(url, answer));
  const filesKept = files.slice(0, 50).map((one) => file(new Request(one)));
  event.waitUntil(Promise.allSettled([pageKept, ...filesKept]));
});

// A message of the kiosk: it has the number and what to say, and the key by which the page that shows it is found here.
self.addEventListener("push", (event) => event.waitUntil(announce(event.data.json())));

async function announce({ title, body, lang, dir, key }) {
  const page = await pageOf(key);
  const open = await self.clients.matchAll({ type: "window" });
  if (page && open.some((one) => one.visibilityState === "visible" && addressOf(new URL(one.url)) === page)) return; // it rings
  const icon = (await (await caches.open(FILES)).keys()).find((one) => one.url.endsWith("app-192.png"))?.url;
  await self.registration.showNotification(title, {
    body,
    lang,
    dir,
    icon,
    tag: key,
    renotify: true,
    requireInteraction: true,
    vibrate: [500, 200, 500],
    data: { page, lang },
  });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data));
});

/** The page that is open already, else a new one. A page that this browser keeps no more leads to the way back to it. */
async function show({ page, lang }) {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const mine = open.find((one) => addressOf(new URL(one.url)) === page);
  if (mine) return mine.focus();
  return self.clients.openWindow(`${page ?? new URL("../", self.registration.scope).href}?lang=${lang}`);
}

/** The address of the kept page of the ticket with this key. */
async function pageOf(key) {
  const pages = await caches.open(PAGES);
  for (const address of await pages.keys()) {
    const stored = await (await pages.match(address)).text();
    if (stored.includes(`&#34;key&#34;:&#34;${key}&#34;`)) return address.url;
  }
}

function isTicket(url) {
  return url.pathname.startsWith(SCOPE_PATH) && /^[^/]+$/.test(url.pathname.slice(SCOPE_PATH.length));
}

function addressOf(url) {
  return url.origin + url.pathname; // without the language: the page that was read last is the one to show
}

async function page(request, url) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    await keepPage(url, answer);
    return answer;
  } catch (error) {
    const stored = await (await caches.open(PAGES)).match(addressOf(url));
    if (stored && !isOld(stored)) return stored;
    throw error;
  }
}

async function keepPage(url, answer) {
  const pages = await caches.open(PAGES);
  if ([404, 410].includes(answer.status)) await pages.delete(addressOf(url));
  if (answer.status !== 200 || answer.redirected) return;
  await pages.delete(addressOf(url)); // so that the newest stands last
  await pages.put(addressOf(url), answer.clone());
  await tidy(pages);
}

/** Pages of yesterday and files that no stored page names are forgotten. */
async function tidy(pages) {
  const addresses = await pages.keys();
  const marks = new Set();
  for (const [place, address] of addresses.entries()) {
    const stored = await pages.match(address);
    if (isOld(stored) || place < addresses.length - PAGES_KEPT) await pages.delete(address);
    else for (const [, mark] of (await stored.text()).matchAll(/\/static\/(\w+)\//g)) marks.add(mark);
  }
  const files = await caches.open(FILES);
  for (const request of await files.keys()) if (!marks.has(markOf(request.url))) await files.delete(request);
}

function isOld(stored) {
  return Date.now() - Date.parse(stored.headers.get("Date") ?? "") > KEPT_MS;
}

function markOf(address) {
  return new URL(address).pathname.slice(FILES_PATH.length).split("/")[0];
}

/** A file's address names what it holds, so a stored one is never old. */
async function file(request) {
  const files = await caches.open(FILES);
  const stored = await files.match(request.url);
  if (stored) return stored;
  const answer = await fetch(request);
  if (answer.status === 200) await files.put(request.url, answer.clone());
  return answer;
}
