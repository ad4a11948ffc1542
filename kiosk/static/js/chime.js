// The sound of a call: two soft bell tones. They are made here, so that nothing has to be loaded when a call comes.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const TONES = [
    [659.26, 0], // E5
    [523.25, 0.42], // C5
  ];
  const OVERTONES = [
    [1, 0.5],
    [2, 0.16],
    [3, 0.06],
  ];
  const RING_S = 1.6;
  const UNLOCK_MS = 300; // a browser that allows sound starts it in a few milliseconds

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  class Chime {
    /** changed(on): whether a call would be heard. */
    constructor(changed) {
      this.changed = changed;
      this._context = null;
      const Context = window.AudioContext || window.webkitAudioContext;
      if (Context) {
        this._context = new Context();
        this._loudness = this._context.createGain();
        this._loudness.connect(this._context.destination);
        this._context.addEventListener("statechange", () => changed(this.on));
      }
      for (const gesture of ["pointerdown", "mousedown", "keydown"]) addEventListener(gesture, () => this.unlock());
      this.unlock();
    }

    get on() {
      return this._context !== null && this._context.state === "running";
    }

    /** Browsers let a page sound after a person touched it. Kiosk browsers may be told to let it at once. */
    unlock() {
      const ready =
        this._context && !this.on ? Promise.race([this._context.resume().catch(() => {}), pause(UNLOCK_MS)]) : null;
      return Promise.resolve(ready).then(() => {
        this.changed(this.on);
        return this.on;
      });
    }

    /** Ring once; started() runs as the first tone begins. Resolves when the tones have faded; false where no sound
     *  is allowed yet. */
    ring(started) {
      if (kiosk.quiet) return Promise.resolve(false); // the board's quiet hours
      return this.unlock().then((on) => {
        if (!on) return false;
        if (started) started();
        this._loudness.gain.value = kiosk.volume === undefined ? 1 : kiosk.volume; // a phone has its own keys for it
        kiosk.soundedAt = Date.now();
        const start = this._context.currentTime + 0.05;
        for (const [tone, after] of TONES) this._strike(tone, start + after);
        return pause(RING_S * 1000).then(() => true);
      });
    }

    _strike(tone, at) {
      for (const [multiple, loud] of OVERTONES) {
        const string = this._context.createOscillator();
        const volume = this._context.createGain();
        string.frequency.value = tone * multiple;
        volume.gain.setValueAtTime(0, at);
        volume.gain.linearRampToValueAtTime(loud, at + 0.012);
        volume.gain.exponentialRampToValueAtTime(0.0005, at + 1.1 / multiple + 0.1);
        string.connect(volume);
        volume.connect(this._loudness);
        string.start(at);
        string.stop(at + 1.2);
      }
    }
  }

  kiosk.Chime = Chime;
})(window.kiosk);
