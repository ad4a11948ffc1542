// One stream of changes that looks after itself: silence, a restarted server, a sleeping phone and a lost network are
// all answered by joining again. The page hears snapshots, and how fresh they are.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const SILENCE_MS = 40000; // beats come each 15 s; two lost ones and some patience
  const GRACE_MS = 4000; // a restart of the server is no event for the hall
  const FIRST_WAIT_MS = 1000;
  const LONGEST_WAIT_MS = 15000;

  class Live {
    /** page.snapshot(data), page.state("live" | "stale" | "lost", sinceMs of the server's clock), page.nowMs */
    constructor(address, page) {
      this.address = address;
      this.onSnapshot = page.snapshot;
      this.onState = page.state;
      this._source = null;
      this._heardAt = Date.now();
      this._openedAt = Date.now();
      this._staleSince = 0;
      this._waitMs = FIRST_WAIT_MS;
      this._again = 0;
      this._offset = page.nowMs ? page.nowMs - Date.now() : 0;
      this._ended = false;
      setInterval(() => this._watch(), 1000);
      addEventListener("online", () => this._open());
      document.addEventListener("visibilitychange", () => this._woke());
      this._open();
    }

    /** Unix ms by the server's clock, which a television's own need not know. */
    now() {
      return Date.now() + this._offset;
    }

    end() {
      this._ended = true;
      this._close();
    }

    _open() {
      if (this._ended) return;
      this._close();
      this._openedAt = Date.now();
      const source = new EventSource(this.address);
      this._source = source;
      source.addEventListener("snapshot", (event) => {
        this._staleSince = 0;
        this.onSnapshot(JSON.parse(event.data));
        this._heard();
      });
      source.addEventListener("stale", (event) => {
        this._staleSince = JSON.parse(event.data).since_ms;
        this._heard();
      });
      source.addEventListener("beat", (event) => {
        this._offset = JSON.parse(event.data).at_ms - Date.now();
        this._heard();
      });
      source.addEventListener("bye", () => this._later(500 + Math.random() * 2500));
      source.addEventListener("error", () => {
        if (source.readyState === EventSource.CLOSED) this._later(this._waitMs * (0.5 + Math.random()));
      });
    }

    _heard() {
      this._heardAt = Date.now();
      this._waitMs = FIRST_WAIT_MS;
      this.onState(this._staleSince ? "stale" : "live", this._staleSince);
    }

    _close() {
      clearTimeout(this._again);
      this._again = 0;
      if (this._source) this._source.close();
      this._source = null;
    }

    _later(ms) {
      this._close();
      this._waitMs = Math.min(this._waitMs * 2, LONGEST_WAIT_MS);
      this._again = setTimeout(() => this._open(), ms);
    }

    _watch() {
      if (this._ended) return;
      const silentMs = Date.now() - this._heardAt;
      const broken = !this._source || this._source.readyState !== EventSource.OPEN;
      if ((broken && silentMs > GRACE_MS) || silentMs > SILENCE_MS) {
        this.onState("lost", this._staleSince || this._heardAt + this._offset);
      }
      if (!this._again && silentMs > SILENCE_MS && Date.now() - this._openedAt > SILENCE_MS) this._open();
    }

    _woke() {
      if (document.visibilityState === "visible" && Date.now() - this._heardAt > SILENCE_MS / 2) this._open();
    }
  }

  kiosk.Live = Live;
})(window.kiosk);
