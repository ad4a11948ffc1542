// The PC's microphone: one phrase at a time, ended by silence, as the WAV file that the server takes.

const RATE = 22050; // samples a second of every clip
const LONGEST_MS = 5500; // the server takes six seconds
const WAIT_MS = 4500; // nobody has spoken for so long
const SILENCE_MS = 700; // longer than the pause between two words
const VOICE = 0.03; // of 1: a voice at arm's length reaches 0.1, a quiet room stays below 0.01
const VOICE_BLOCKS = 2; // a key's click fills one block
const UNDER_PEAK = 8; // silence is so many times less than the loudest block

export const hasMicrophone = () =>
  isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia) && "AudioWorkletNode" in window;

export class Recorder {
  constructor(worklet) {
    this._worklet = worklet;
    this._context = null;
    this._node = null;
    this._end = null;
  }

  get recording() {
    return this._end !== null;
  }

  // Asks the person for the microphone, once. It stays open while the page is.
  async open() {
    if (this._node) return;
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: true, autoGainControl: true },
    });
    const context = new AudioContext();
    await context.audioWorklet.addModule(this._worklet);
    await context.resume();
    const node = new AudioWorkletNode(context, "recorder", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    context.createMediaStreamSource(stream).connect(node);
    Object.assign(this, { _context: context, _node: node });
  }

  // Resolves with the WAV, or null when it was stopped before anybody spoke. level(0 to 1) follows the loudness.
  record(level) {
    const blocks = [];
    return new Promise((done) => {
      let loud = 0;
      let peak = 0;
      let quietMs = 0;
      let heardMs = 0;
      const finish = () => {
        this._node.port.onmessage = null;
        this._end = null;
        level(0);
        done(loud >= VOICE_BLOCKS ? toWav(blocks, this._context.sampleRate) : null);
      };
      this._end = finish;
      this._node.port.onmessage = ({ data }) => {
        const now = data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
        const ms = (1000 * data.length) / this._context.sampleRate;
        blocks.push(data);
        level(now);
        peak = Math.max(peak, now);
        heardMs += ms;
        if (now > VOICE) loud += 1;
        quietMs = now > Math.max(VOICE / 2, peak / UNDER_PEAK) ? 0 : quietMs + ms;
        const spoken = loud >= VOICE_BLOCKS;
        if ((spoken && quietMs > SILENCE_MS) || heardMs > (spoken ? LONGEST_MS : WAIT_MS)) finish();
      };
    });
  }

  stop() {
    this._end?.();
  }
}

// Any sound file that the browser can read, as the same WAV.
export async function fileToWav(file) {
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await file.arrayBuffer());
  return resampled(sound);
}

function toWav(blocks, rate) {
  const length = blocks.reduce((sum, block) => sum + block.length, 0);
  const sound = new AudioBuffer({ length, numberOfChannels: 1, sampleRate: rate });
  let at = 0;
  for (const block of blocks) {
    sound.copyToChannel(block, 0, at);
    at += block.length;
  }
  return resampled(sound);
}

async function resampled(sound) {
  const context = new OfflineAudioContext(1, Math.ceil(sound.duration * RATE), RATE);
  const source = new AudioBufferSourceNode(context, { buffer: sound });
  source.connect(context.destination);
  source.start();
  return wav((await context.startRendering()).getChannelData(0));
}

function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, mark) => {
    for (let i = 0; i < mark.length; i++) view.setUint8(at + i, mark.charCodeAt(i));
  };
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => {
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, sample))), true);
  });
  return new Uint8Array(view.buffer);
}

export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
