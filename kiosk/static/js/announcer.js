// Calls are announced one after another. The second never cuts the first off, and none waits behind many for long.

const SHOWN_MS = 5_500; // long enough to read the number, look up and walk
const HURRIED_MS = 2_500; // when several wait
const WAITING_AT_MOST = 12; // more than a minute behind nobody listens; the numbers stand on the board anyway
const SPEECH_MS = 9_000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Announcer {
  #waiting = [];
  #busy = false;

  /** show(call | null): put the call in the middle, null when all are announced. still(call): it was not taken back. */
  constructor({ chime, show, still, rang, speak }) {
    Object.assign(this, { chime, show, still, rang, speak });
  }

  add(call) {
    const same = this.#waiting.findIndex((other) => other.token === call.token);
    if (same >= 0) this.#waiting.splice(same, 1);
    this.#waiting.push(call);
    if (this.#waiting.length > WAITING_AT_MOST) this.#waiting.shift();
    this.#work();
  }

  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length) {
      const call = this.#waiting.shift();
      if (this.still(call)) await this.#announce(call);
    }
    this.#busy = false;
    this.show(null);
  }

  async #announce(call) {
    const shown = pause(this.#waiting.length > 1 ? HURRIED_MS : SHOWN_MS);
    this.show(call);
    if (await this.chime.ring(this.rang)) await Promise.race([this.speak(call), pause(SPEECH_MS)]);
    await shown;
  }
}

/** Speaks in each language for which this machine has a voice; silent where it has none. */
export async function speak(sentences) {
  const engine = globalThis.speechSynthesis;
  if (!engine) return;
  for (const [code, sentence] of sentences) {
    const voice = engine
      .getVoices()
      .find((one) => one.localService && one.lang.toLowerCase().split(/[-_]/)[0] === code);
    if (!voice) continue;
    const utterance = new SpeechSynthesisUtterance(sentence);
    Object.assign(utterance, { voice, lang: voice.lang, rate: 0.85 });
    await new Promise((done) => {
      utterance.onend = utterance.onerror = done;
      engine.speak(utterance);
    });
  }
}
