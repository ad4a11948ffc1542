// Calls are announced one after another, each once, in their order. None is dropped: when many wait, each is shorter.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const SHOWN_MS = 5500; // long enough to read the number, look up and walk
  const HURRIED_MS = 2500; // when another one waits
  const FASTEST_MS = 1700; // when many wait: the chime (1.6 s) still sounds once for each
  const MANY = 6; // calls that wait; 20 calls of one moment are all announced within 45 s
  const SPEECH_MS = 9000;

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  class Announcer {
    /** parts: chime; show(call | null) puts the call in the middle, null when all are announced; stands(call) is false
     *  for a call that was taken back; rang(); speak(call). */
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
          // A sentence takes seconds in each language: while others wait, chime and picture must do.
          if (heard && !this._waiting.length) return Promise.race([this.speak(call), pause(SPEECH_MS)]);
          return null;
        })
        .then(() => shown);
    }
  }

  /** Speaks in each language for which this machine has a voice; silent where it has none. */
  function speak(sentences) {
    const engine = window.speechSynthesis;
    if (!engine) return Promise.resolve();
    return sentences.reduce(
      (before, [code, sentence]) => before.then(() => speakOne(engine, code, sentence)),
      Promise.resolve()
    );
  }

  function speakOne(engine, code, sentence) {
    const voice = engine
      .getVoices()
      .find((one) => one.localService && one.lang.toLowerCase().split(/[-_]/)[0] === code);
    if (!voice) return null;
    const utterance = new SpeechSynthesisUtterance(sentence);
    Object.assign(utterance, { voice, lang: voice.lang, rate: 0.85, volume: kiosk.volume });
    return new Promise((done) => {
      utterance.onend = utterance.onerror = done;
      engine.speak(utterance);
    });
  }

  Object.assign(kiosk, { Announcer, speak });
})(window.kiosk);
