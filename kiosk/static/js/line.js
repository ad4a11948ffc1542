// The line to the server: a stream of changes, and plain questions while the stream is refused or says nothing.
// A proxy may hold a stream back, a server may be full; the numbers on a screen must be true all the same.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const FIRST_WORD_MS = 5000; // a stream speaks as soon as it opens; one that does not is held back
  const SILENCE_MS = 40000; // beats come each 15 s; two lost ones and some patience
  const LATE_MS = 5000; // a beat that took this long lay in a proxy
  const ASK_MS = 5000; // a call may be late by this much
  const ASK_HIDDEN_MS = 20000; // nobody looks at a hidden page
  const LONGEST_ASK_MS = 30000;
  const ANSWER_MS = 8000; // a server that takes longer is as good as away
  const RETRY_MS = 30000; // after this long a new stream is tried, then after twice as long, and so on
  const LONGEST_RETRY_MS = 600000;

  /** Somewhere around this many ms, so that a thousand screens do not come in step. */
  const about = (ms) => ms * (0.5 + Math.random());

  class Line {
    /** hear({ by, snapshot, staleSince, offset, pages }) with what an event or an answer says; by: "stream" or "poll".
     *  mayStream() is false while this browser has streams enough. offset: the server's clock less ours, if known. */
    constructor(address, hear, mayStream, offset) {
      this._address = address;
      this._hear = hear;
      this._mayStream = mayStream;
      this._offset = offset;
      this._source = null;
      this._request = null;
      this._tag = "";
      this._asking = 0;
      this._again = 0;
      this._silence = 0;
      this._askMs = ASK_MS;
      this._retryMs = RETRY_MS;
      this._failed = false;
      this._closed = false;
      this.streaming = false;
      this._open();
    }

    close() {
      this._closed = true;
      this._stopStream();
      this._stopAsking();
      clearTimeout(this._again);
    }

    /** The network is back, or somebody looks again: do not wait. */
    wake() {
      if (this._closed) return;
      this._open();
      this._askSoon(0);
    }

    // --- the stream ---

    _open() {
      if (this._closed) return;
      this._stopStream();
      clearTimeout(this._again);
      if (!this._mayStream()) {
        this._giveUp();
        return;
      }
      const source = new EventSource(this._address);
      this._source = source;
      this._expectWord(FIRST_WORD_MS);
      const on = (name, read) => source.addEventListener(name, (event) => this._word(read(JSON.parse(event.data))));
      on("snapshot", (snapshot) => ({ snapshot, staleSince: 0 }));
      on("stale", (data) => ({ staleSince: data.since_ms }));
      on("pages", (data) => ({ pages: data.mark, offset: data.at_ms - Date.now() }));
      source.addEventListener("beat", (event) => this._beat(JSON.parse(event.data).at_ms - Date.now()));
      source.addEventListener("bye", () => {
        this._stopStream();
        this._expectWord(FIRST_WORD_MS);
        this._again = setTimeout(() => this._open(), 500 + Math.random() * 2500);
      });
      source.addEventListener("error", () => {
        if (source !== this._source) return;
        if (source.readyState === EventSource.CLOSED) this._giveUp();
        else if (this.streaming) this._expectWord(FIRST_WORD_MS);
        this.streaming = false;
      });
    }

    _stopStream() {
      clearTimeout(this._silence);
      if (this._source) this._source.close();
      this._source = null;
      this.streaming = false;
    }

    _expectWord(ms) {
      clearTimeout(this._silence);
      this._silence = setTimeout(() => this._giveUp(), ms);
    }

    _word(message) {
      this.streaming = true;
      this._stopAsking();
      this._expectWord(SILENCE_MS);
      if (message.snapshot) this._tag = "";
      if (message.offset !== undefined && this._offset === undefined) this._offset = message.offset;
      message.by = "stream";
      this._hear(message);
    }

    _beat(offset) {
      if (this._offset !== undefined && offset < this._offset - LATE_MS) {
        this._giveUp();
        return;
      }
      this._offset = offset;
      this._retryMs = RETRY_MS;
      this._word({ offset });
    }

    /** No stream for now: ask, and try a stream later. */
    _giveUp() {
      this._stopStream();
      this._askMs = ASK_MS;
      this._askSoon(Math.random() * 1000);
      clearTimeout(this._again);
      this._again = setTimeout(() => this._open(), about(this._retryMs));
      this._retryMs = Math.min(this._retryMs * 2, LONGEST_RETRY_MS);
    }

    // --- the questions ---

    _stopAsking() {
      clearTimeout(this._asking);
      if (this._request) this._request.abort();
      this._request = null;
    }

    _askSoon(ms) {
      this._stopAsking();
      if (!this._closed) this._asking = setTimeout(() => this._ask(), ms);
    }

    _ask() {
      const request = new XMLHttpRequest();
      this._request = request;
      request.open("GET", `${this._address}/now`);
      request.timeout = ANSWER_MS;
      if (this._tag) request.setRequestHeader("If-None-Match", this._tag);
      request.onload = () => this._answer(request);
      request.onerror = request.ontimeout = () => this._unanswered(0);
      request.send();
    }

    _answer(request) {
      const number = (name) => Number(request.getResponseHeader(name) || 0);
      const fresh = request.status === 200;
      if (!fresh && request.status !== 304) {
        this._unanswered(number("Retry-After") * 1000);
        return;
      }
      const message = {
        by: "poll",
        staleSince: number("Kiosk-Stale-Since-Ms"),
        offset: number("Kiosk-Now-Ms") - Date.now(),
        pages: request.getResponseHeader("Kiosk-Pages"),
      };
      if (fresh) {
        try {
          message.snapshot = JSON.parse(request.responseText);
        } catch (_error) {
          this._unanswered(0); // a proxy's own page
          return;
        }
        this._tag = request.getResponseHeader("ETag") || "";
      }
      this._offset = message.offset;
      this._askMs = ASK_MS;
      this._askSoon(about(document.hidden ? ASK_HIDDEN_MS : ASK_MS));
      // The server was away for all alike: its streams are likely back with it.
      if (this._failed && !this._source) {
        clearTimeout(this._again);
        this._again = setTimeout(() => this._open(), about(2000));
      }
      this._failed = false;
      this._hear(message);
    }

    _unanswered(waitMs) {
      this._failed = true;
      this._askMs = Math.min(this._askMs * 1.5, LONGEST_ASK_MS);
      this._askSoon(Math.max(waitMs, about(this._askMs)));
    }
  }

  kiosk.Line = Line;
})(window.kiosk);
