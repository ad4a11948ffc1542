// What a page hears of its facility: snapshots, and how fresh they are. Silence, a restarted server, a sleeping phone, a
// lost network, a full server and a proxy that holds streams back are all answered without anybody touching the page.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const SILENCE_MS = 40000; // as the line waits for a beat
  const GRACE_MS = 4000; // a restart of the server is no event for the hall
  const ASKED_MS = 20000; // between two answers: the pace of the questions, twice, and a slow answer

  class Live {
    /** page.snapshot(data), page.state("live" | "stale" | "lost", sinceMs of the server's clock), page.nowMs,
     *  page.pages(mark) with the mark of the pages that the server has now */
    constructor(address, page) {
      this.address = address;
      this._page = page;
      this._heardAt = Date.now();
      this._offset = page.nowMs ? page.nowMs - Date.now() : 0;
      this._knowsTime = Boolean(page.nowMs);
      this._latest = { by: "", staleSince: 0 };
      this._line = null;
      this._sharing = null;
      this._ended = false;
      setInterval(() => this._watch(), 1000);
      // A stream of a network that went away may seem open for long: both ask at once.
      for (const change of ["online", "offline"]) addEventListener(change, () => this._line && this._line.wake());
      addEventListener("pagehide", () => this._stop());
      addEventListener("pageshow", (event) => event.persisted && this._start());
      document.addEventListener("visibilitychange", () => this._woke());
      this._start();
    }

    /** Unix ms by the server's clock, which a television's own need not know. */
    now() {
      return Date.now() + this._offset;
    }

    end() {
      this._ended = true;
      this._stop();
    }

    _start() {
      if (this._ended || this._sharing) return;
      this._sharing = new kiosk.Sharing(this.address, {
        lead: () => this._lead(),
        follow: () => this._closeLine(),
        hear: (message) => this._hear(message),
        latest: () => this._latest,
      });
    }

    _stop() {
      this._closeLine();
      if (this._sharing) this._sharing.end();
      this._sharing = null;
    }

    _lead() {
      const offset = this._knowsTime ? this._offset : undefined;
      const mayStream = () => !this._sharing || this._sharing.mayStream();
      this._line = new kiosk.Line(this.address, (message) => this._pass(message), mayStream, offset);
    }

    _closeLine() {
      if (this._line) this._line.close();
      this._line = null;
    }

    _pass(message) {
      if (this._sharing) this._sharing.tell(message);
      this._hear(message);
    }

    _hear(message) {
      if (this._ended) return;
      Object.assign(this._latest, message);
      if (message.lost) {
        this._page.state("lost", message.lost);
        return;
      }
      if (message.offset !== undefined) {
        this._offset = message.offset;
        this._knowsTime = true;
      }
      if (message.snapshot) this._page.snapshot(message.snapshot);
      if (message.by) this._heardAt = Date.now();
      if (message.pages && this._page.pages) this._page.pages(message.pages);
      const staleSince = this._latest.staleSince;
      if (message.by) this._page.state(staleSince ? "stale" : "live", staleSince);
      this._latest.lost = 0;
    }

    _watch() {
      if (this._ended || !this._sharing) return;
      const silentMs = Date.now() - this._heardAt;
      const polls = this._latest.by === "poll";
      const broken = this._line && !this._line.streaming && silentMs > (polls ? ASKED_MS : GRACE_MS);
      if (!broken && silentMs <= SILENCE_MS) return;
      const since = this._latest.staleSince || this._heardAt + this._offset;
      this._latest.lost = since;
      this._sharing.tell({ lost: since });
      this._page.state("lost", since);
    }

    _woke() {
      const silentMs = Date.now() - this._heardAt;
      if (document.visibilityState === "visible" && this._line && silentMs > SILENCE_MS / 2) this._line.wake();
    }
  }

  kiosk.Live = Live;
})(window.kiosk);
