// One stream of news that looks after itself: silence, a restarted server, a sleeping phone and a lost network are all
// answered by joining again. The page hears snapshots, and how fresh they are.

const SILENCE_MS = 40_000; // beats come each 15 s; two lost ones and some patience
const GRACE_MS = 4_000; // a restart of the server is no news for the hall
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

export class Live {
  #source = null;
  #heardAt = Date.now();
  #openedAt = Date.now();
  #staleSince = 0;
  #waitMs = FIRST_WAIT_MS;
  #again = 0;
  #offset = 0;
  #ended = false;

  /** snapshot(data), state("live" | "stale" | "lost", sinceMs of the server's clock) */
  constructor(address, { snapshot, state, nowMs = 0 }) {
    this.address = address;
    this.onSnapshot = snapshot;
    this.onState = state;
    if (nowMs) this.#offset = nowMs - Date.now();
    setInterval(() => this.#watch(), 1_000);
    addEventListener("online", () => this.#open());
    document.addEventListener("visibilitychange", () => this.#woke());
    this.#open();
  }

  /** Unix ms by the server's clock, which a television's own need not know. */
  now() {
    return Date.now() + this.#offset;
  }

  end() {
    this.#ended = true;
    this.#close();
  }

  #open() {
    if (this.#ended) return;
    this.#close();
    this.#openedAt = Date.now();
    const source = new EventSource(this.address);
    this.#source = source;
    source.addEventListener("snapshot", (event) => {
      this.#staleSince = 0;
      this.onSnapshot(JSON.parse(event.data));
      this.#heard();
    });
    source.addEventListener("stale", (event) => {
      this.#staleSince = JSON.parse(event.data).since_ms;
      this.#heard();
    });
    source.addEventListener("beat", (event) => {
      this.#offset = JSON.parse(event.data).at_ms - Date.now();
      this.#heard();
    });
    source.addEventListener("bye", () => this.#later(500 + Math.random() * 2_500));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) this.#later(this.#waitMs * (0.5 + Math.random()));
    });
  }

  #heard() {
    this.#heardAt = Date.now();
    this.#waitMs = FIRST_WAIT_MS;
    this.onState(this.#staleSince ? "stale" : "live", this.#staleSince);
  }

  #close() {
    clearTimeout(this.#again);
    this.#again = 0;
    this.#source?.close();
    this.#source = null;
  }

  #later(ms) {
    this.#close();
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    this.#again = setTimeout(() => this.#open(), ms);
  }

  #watch() {
    if (this.#ended) return;
    const silentMs = Date.now() - this.#heardAt;
    const broken = this.#source?.readyState !== EventSource.OPEN;
    if ((broken && silentMs > GRACE_MS) || silentMs > SILENCE_MS) {
      this.onState("lost", this.#staleSince || this.#heardAt + this.#offset);
    }
    if (!this.#again && silentMs > SILENCE_MS && Date.now() - this.#openedAt > SILENCE_MS) this.#open();
  }

  #woke() {
    if (document.visibilityState === "visible" && Date.now() - this.#heardAt > SILENCE_MS / 2) this.#open();
  }
}
