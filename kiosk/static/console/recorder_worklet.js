// Hands the microphone's samples to the page, some thousand at a time.

const BLOCK = 2048; // 43 ms at 48 kHz: the level meter moves, and the page is not woken 375 times a second

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this._block = new Float32Array(BLOCK);
    this._filled = 0;
  }

  process(inputs) {
    const samples = inputs[0]?.[0];
    if (!samples) return true;
    for (const sample of samples) {
      this._block[this._filled++] = sample;
      if (this._filled < BLOCK) continue;
      this.port.postMessage(this._block.slice());
      this._filled = 0;
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
