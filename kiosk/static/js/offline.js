// What the page keeps on the phone: its last news, and through its service worker the page itself. Nothing but what the page
// shows is kept, under the ticket's own key, and it ends with the day.

const KEPT_MS = 86_400_000; // numbers are for one day
const PREFIX = "kiosk-last-";

/** Keep what the page shows now. `others`: the queues of earlier stops, of which only the names are shown. */
export function storeState(mine, queue, others, atMs) {
  try {
    forgetOld();
    const { next, next_keys, expected_tokens, ...view } = queue ?? {}; // the numbers of others are not ours to keep
    const named = others.map(({ id, name, names }) => ({ id, name, names }));
    const last = { mine, queue: queue ? view : null, others: named, atMs };
    localStorage.setItem(PREFIX + mine.key, JSON.stringify(last));
  } catch {
    // A browser that stores nothing shows the page as it was drawn.
  }
}

/** { mine, queue, others, atMs } that was kept last; null when nothing was. */
export function storedState(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

function forgetOld() {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(PREFIX) && Date.now() - JSON.parse(localStorage.getItem(name)).atMs > KEPT_MS)
      localStorage.removeItem(name);
  }
}

/** Let the worker keep this page, so that it opens without a network. Browsers have workers over https alone. */
export async function keepOffline(script, scope) {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register(script, { scope });
    const { active } = await navigator.serviceWorker.ready;
    const files = performance.getEntriesByType("resource").map((entry) => entry.name);
    active.postMessage({ keep: files });
  } catch {
    // The page works without it.
  }
}
