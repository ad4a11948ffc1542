// One stream for all pages of a browser. Over plain HTTP a browser opens six connections to a host, and a stream holds
// one for ever: a seventh page would hang. So the pages of one facility choose a leader, which has the stream and passes
// on what it hears. Where pages cannot speak to each other (engines before 2017), each has a stream of its own.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const CHANNEL = "kiosk-live";
  const ANSWER_MS = 200; // a leader answers at once, even from a hidden page
  const SILENT_MS = 20000; // a leader passes on a beat each 15 s
  const STREAMS_MOST = 4; // of other facilities in this browser: two connections of six stay free
  const LEADER_GONE_MS = 60000; // of another facility, without a word

  class Sharing {
    /** part: lead() opens the line, follow() closes it, hear(message) what the leader passes on, latest() all that a
     *  new page must know. */
    constructor(address, part) {
      this._address = address;
      this._part = part;
      this._id = String(Math.random()).slice(2);
      this._term = 0;
      this._leader = "";
      this._heardAt = Date.now();
      this._others = {};
      this._choice = 0;
      this._channel = null;
      this.leads = false;
      if (!window.BroadcastChannel) {
        this._lead();
        return;
      }
      this._channel = new BroadcastChannel(CHANNEL);
      this._channel.onmessage = (event) => this._read(event.data);
      this._watching = setInterval(() => this._watch(), 1000);
      this._post("who");
      this._choose(ANSWER_MS);
    }

    /** Pass on what the line said. */
    tell(message) {
      if (this.leads) this._post("word", { message });
    }

    /** Whether this browser has connections left for another stream. */
    mayStream() {
      const now = Date.now();
      const open = Object.keys(this._others).filter((address) => now - this._others[address] < LEADER_GONE_MS);
      return open.length < STREAMS_MOST;
    }

    end() {
      clearTimeout(this._choice);
      clearInterval(this._watching);
      if (this.leads) {
        this._post("bye");
        this._part.follow();
      }
      this.leads = false;
      if (this._channel) this._channel.close();
      this._channel = null;
    }

    _post(kind, more) {
      if (!this._channel) return;
      const head = { kind, address: this._address, id: this._id, term: this._term, hidden: document.hidden };
      this._channel.postMessage(Object.assign(head, more));
    }

    /** Lead, unless somebody else says first that they do. Pages that somebody looks at are quicker. */
    _choose(ms) {
      clearTimeout(this._choice);
      const later = document.hidden ? ANSWER_MS : 0;
      this._choice = setTimeout(() => this._lead(), ms + later + Math.random() * ANSWER_MS);
    }

    _lead() {
      clearTimeout(this._choice);
      if (this.leads) return;
      this.leads = true;
      this._leader = this._id;
      this._term += 1;
      this._post("lead");
      this._part.lead();
    }

    _read(mail) {
      if (mail.address !== this._address) {
        if (mail.kind === "bye") delete this._others[mail.address];
        else if (mail.kind !== "who") this._others[mail.address] = Date.now();
        else if (this.leads) this._post("lead");
        return;
      }
      if (mail.kind === "who") {
        if (this.leads) this._post("lead", { message: this._part.latest() });
      } else if (mail.kind === "bye") {
        if (mail.id === this._leader) this._choose(0);
      } else this._readLeader(mail);
    }

    /** The newer term leads; of two that began together, the lower id. */
    _readLeader(mail) {
      const mine = this.leads ? this._id : this._leader;
      if (mail.term < this._term || (mail.term === this._term && mine && mail.id > mine)) {
        if (this.leads) this._post("lead");
        return;
      }
      clearTimeout(this._choice);
      this._term = mail.term;
      this._leader = mail.id;
      this._heardAt = Date.now();
      if (this.leads) {
        this.leads = false;
        this._part.follow();
      }
      if (mail.message) this._part.hear(mail.message);
      // A hidden page's questions are few and late: one that somebody looks at asks itself.
      if (mail.hidden && !document.hidden && mail.message && mail.message.by === "poll") this._choose(0);
    }

    _watch() {
      if (this.leads || Date.now() - this._heardAt < SILENT_MS) return;
      this._heardAt = Date.now();
      this._post("who");
      this._choose(ANSWER_MS);
    }
  }

  kiosk.Sharing = Sharing;
})(window.kiosk);
