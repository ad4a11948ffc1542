// The spoken call. The kiosk makes the sound, a plain <audio> plays it: in one language after another, each to its end.
// Where the kiosk has no clips of a language, a voice of this browser speaks it, if there is one on this machine.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const STALLED_MS = 6000; // no sound came for so long: the server or the network is away
  const LOCAL_MS = 12000; // the longest sentence of a slow local voice

  const body = document.body;

  class Voice {
    /** parts: address of the sounds; silence, a sound without sound; heard(code) after
     *  each sentence. */
    constructor(parts) {
      Object.assign(this, parts);
      this._player = new Audio();
      this._player.preload = "auto";
      this._busy = false;
      for (const gesture of ["pointerdown", "mousedown", "keydown"]) addEventListener(gesture, () => this._allow());
    }

    /** Some browsers let a player sound only after it was started by a person's touch. */
    _allow() {
      if (this._busy || this._allowed) return;
      this._player.src = this.silence;
      const started = this._player.play();
      if (!started) return;
      started.then(
        () => {
          this._allowed = true;
        },
        () => {}
      );
    }

    /** sentences: [code, text] in the board's order. The first is spoken; each further one while goOn() says so. */
    speak(call, sentences, goOn) {
      this._busy = true;
      const done = () => {
        this._busy = false;
        body.dataset.speaking = "";
      };
      const steps = sentences.reduce(
        (before, [code, text]) =>
          before.then((spoke) => {
            if (spoke && !goOn()) return true;
            return this._say(call, code, text).then((now) => now || spoke);
          }),
        Promise.resolve(false)
      );
      return steps.then(done, done);
    }

    /** Whether this language was spoken. */
    _say(call, code, text) {
      const ours =
        call.sound || body.dataset.voices.split(",").indexOf(code) >= 0
          ? this._play(call, code)
          : Promise.resolve(false);
      return ours
        .then((begun) => begun || speakHere(code, text))
        .then((spoke) => {
          if (spoke) this.heard(code);
          return spoke;
        });
    }

    /** Resolves when the sound has ended: true when it was heard, false when it never began. */
    _play(call, code) {
      const player = this._player;
      const names = ["playing", "timeupdate", "ended", "error"];
      let begun = false;
      return new Promise((done) => {
        let timer = 0;
        const finish = () => {
          clearTimeout(timer);
          for (const name of names) player.removeEventListener(name, follow);
          done(begun);
        };
        const wait = () => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            player.pause();
            finish();
          }, STALLED_MS);
        };
        const follow = (event) => {
          if (event.type === "ended" || event.type === "error") finish();
          else {
            if (event.type === "playing") {
              begun = true;
              kiosk.soundedAt = Date.now();
              body.dataset.speaking = code;
            }
            wait();
          }
        };
        for (const name of names) player.addEventListener(name, follow);
        player.volume = kiosk.volume;
        player.src =
          call.sound ||
          `${this.address}${code}?token=${encodeURIComponent(call.token)}&counter=${encodeURIComponent(call.counter)}`;
        wait();
        const started = player.play();
        if (started) started.catch(finish);
      });
    }
  }

  /** Spoken by a voice on this machine. Voices of a browser's maker would send the number over the internet. */
  function speakHere(code, text) {
    const engine = window.speechSynthesis;
    const voice =
      engine && engine.getVoices().find((one) => one.localService && one.lang.toLowerCase().split(/[-_]/)[0] === code);
    if (!voice) return false;
    const utterance = new SpeechSynthesisUtterance(text);
    Object.assign(utterance, { voice, lang: voice.lang, rate: 0.85, volume: kiosk.volume });
    return new Promise((done) => {
      const timer = setTimeout(() => {
        engine.cancel();
        done(true);
      }, LOCAL_MS);
      utterance.onend = utterance.onerror = () => {
        clearTimeout(timer);
        done(true);
      };
      engine.speak(utterance);
    });
  }

  kiosk.Voice = Voice;
})(window.kiosk);
