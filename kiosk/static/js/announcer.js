// Calls are announced one after another, each once, in their order. None is dropped: when many wait, each is shorter.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const SHOWN_MS = 5500; // long enough to read the number, look up and walk
  const HURRIED_MS = 2500; // when another one waits
  const FASTEST_MS = 1700; // when many wait: the chime (1.6 s) still sounds once for each
  const MANY = 6; // calls that wait; 20 calls of one moment are all announced within 45 s
  const SPOKEN_WHILE_WAITING = 1; // calls

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  class Announcer {
    /** parts: chime; show(call | null) puts the call in the middle, null when all are announced; stands(call) is false
     *  for a call that was taken back; rang(); speak(call, goOn)
     *  speaks in one language after another while goOn() is true. */
    constructor(parts) {
      Object.assign(this, parts);
      this._waiting = [];
      this._busy = false;
    }

    add(call) {
      this._waiting.push(call);
      if (!this._busy) this._next();
    }

    _next() {
      this._busy = true;
      const call = this._waiting.shift();
      if (!call) {
        this._busy = false;
        this.show(null);
        return;
      }
      const onward = () => this._next();
      if (this.stands(call)) this._announce(call).then(onward, onward);
      else onward();
    }

    _announce(call) {
      const others = this._waiting.length;
      const shown = pause(others >= MANY ? FASTEST_MS : others ? HURRIED_MS : SHOWN_MS);
      this.show(call);
      return this.chime
        .ring(() => this.rang())
        .then((heard) => {
          // A sentence takes seconds in each language. Nothing is cut off, so a new call waits for one language at most:
          // while one waits, this call is spoken in one language; while more wait, chime and picture must do.
          if (!heard || this._waiting.length > SPOKEN_WHILE_WAITING) return null;
          return this.speak(call, () => !this._waiting.length);
        })
        .then(() => shown);
    }
  }

  kiosk.Announcer = Announcer;
})(window.kiosk);
