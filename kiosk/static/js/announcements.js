// What staff announce: shown in turn until its time, read aloud when it is new and each ten minutes.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const REPEAT_MS = 600000; // who came meanwhile hears it once
  const FRESH_MS = 120000; // a page that is loaded later does not read it aloud at once

  class Announcements {
    /** parts: box, which is hidden without one; text, its element; address of the sounds; concerns(queue id);
     *  add(item) puts it behind the calls that wait. */
    constructor(parts) {
      Object.assign(this, parts);
      this._all = [];
      this._spokenAt = {};
      this._turn = 0;
    }

    hear(list, now) {
      this._all = list || [];
      this.tick(now);
    }

    nextTurn() {
      this._turn += 1;
    }

    tick(now) {
      const standing = this._standing(now);
      const one = standing[this._turn % Math.max(1, standing.length)];
      this.box.hidden = !one;
      document.body.dataset.notices = one ? "yes" : "no"; // the board makes room
      if (one && this.text.textContent !== one.text)
        Object.assign(this.text, { lang: one.language, textContent: one.text });
      for (const each of standing) this._sayInTime(each, now);
    }

    stands(one, now) {
      return this._standing(now).some((other) => other.id === one.id);
    }

    _standing(now) {
      return this._all.filter((one) => one.until_ms > now && (!one.queue || this.concerns(one.queue)));
    }

    _sayInTime(one, now) {
      const known = this._spokenAt[one.id];
      if (known === undefined) this._spokenAt[one.id] = one.at_ms > now - FRESH_MS ? 0 : now;
      if (kiosk.quiet || now - this._spokenAt[one.id] < REPEAT_MS) return;
      this._spokenAt[one.id] = now;
      this.add({ announcement: one, sound: this.address + one.id });
    }
  }

  kiosk.Announcements = Announcements;
})(window.kiosk);
