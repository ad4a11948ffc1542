// The sound of a call: two soft bell tones, made here, so nothing has to be loaded at the moment it counts.

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

export class Chime {
  #context = null;

  /** changed(on): whether a call would be heard. */
  constructor(changed) {
    this.changed = changed;
    const Context = globalThis.AudioContext ?? globalThis.webkitAudioContext;
    if (Context) {
      this.#context = new Context();
      this.#context.addEventListener("statechange", () => changed(this.on));
    }
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => this.unlock());
    this.unlock();
  }

  get on() {
    return this.#context?.state === "running";
  }

  /** Browsers let a page sound after somebody touched it; kiosk browsers may be told to let it at once. */
  async unlock() {
    if (this.#context && !this.on) {
      await Promise.race([this.#context.resume().catch(() => {}), new Promise((done) => setTimeout(done, 300))]);
    }
    this.changed(this.on);
    return this.on;
  }

  /** Ring once; started() as the first tone begins. Resolves when they have faded; false where no sound is allowed yet. */
  async ring(started = () => {}) {
    if (!(await this.unlock())) return false;
    started();
    const start = this.#context.currentTime + 0.05;
    for (const [tone, after] of TONES) this.#strike(tone, start + after);
    await new Promise((done) => setTimeout(done, RING_S * 1_000));
    return true;
  }

  #strike(tone, at) {
    for (const [multiple, loud] of OVERTONES) {
      const string = this.#context.createOscillator();
      const volume = this.#context.createGain();
      string.frequency.value = tone * multiple;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(loud, at + 0.012);
      volume.gain.exponentialRampToValueAtTime(0.0005, at + 1.1 / multiple + 0.1);
      string.connect(volume).connect(this.#context.destination);
      string.start(at);
      string.stop(at + 1.2);
    }
  }
}
