// A message from the phone's push service when the number is near, so that the page may be closed. The page rings by itself all
// the same: where no message can come, it says so, and nothing else changes.

const AGREES_WITHIN_MS = 20_000; // a browser whose push service cannot be reached may never answer

export class Push {
  /** say(key): the sentence under the alarm; "" for none. */
  constructor(address, key, say) {
    this._address = address;
    this._key = key;
    this._say = say;
    this._turn = 0;
  }

  /** Whether the kiosk sends messages and this browser can take them. */
  get _may() {
    return Boolean(this._key && navigator.serviceWorker && "PushManager" in window && "Notification" in window);
  }

  /** Messages from now on, also when so many are before. touched: the owner pressed something, so the browser may ask. */
  async on(near, touched) {
    if (!this._may) return;
    const turn = ++this._turn;
    const works = await this._agree(near, touched).catch(() => false);
    if (turn === this._turn) this._say(works ? "ticket.push_works" : "ticket.push_none");
  }

  async off() {
    this._turn += 1;
    this._say("");
    if (!this._may) return;
    const worker = await navigator.serviceWorker.getRegistration(this._address);
    const known = await worker?.pushManager?.getSubscription();
    if (known) await this._send(["end"], { endpoint: known.endpoint }).catch(() => {});
  }

  async _agree(near, touched) {
    if (Notification.permission !== "granted" && !(touched && (await Notification.requestPermission()) === "granted"))
      return false;
    const worker = await inTime(navigator.serviceWorker.ready);
    const subscription = await inTime(this._subscribe(worker.pushManager));
    const { endpoint, keys } = subscription.toJSON();
    const answer = await this._send([], { endpoint, p256dh: keys.p256dh, auth: keys.auth, key: this._key, near });
    return answer.ok;
  }

  /** One subscription serves all tickets of this browser. One that was made with an earlier key of ours is made anew. */
  async _subscribe(manager) {
    const wish = { userVisibleOnly: true, applicationServerKey: bytes(this._key) };
    const known = await manager.getSubscription();
    if (known && text(known.options.applicationServerKey) !== this._key) await known.unsubscribe();
    return manager.subscribe(wish);
  }

  _send(path, body) {
    return fetch(`${[this._address, ...path].join("/")}?lang=${document.documentElement.lang}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
  }
}

function inTime(promise) {
  return Promise.race([
    promise,
    new Promise((_, refuse) => setTimeout(() => refuse(new Error("no answer")), AGREES_WITHIN_MS)),
  ]);
}

function bytes(base64url) {
  const plain = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer ?? []));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
