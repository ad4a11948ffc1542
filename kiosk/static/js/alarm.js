// When the phone rings for its patient: at the call, and before it when so many are before as the patient chose. The
// choice is stored for this ticket, so that a page goes on ringing after it was loaded again.

import { Push } from "./push.js";

const { Chime, hour, stayAwake } = window.kiosk; // the page loads these files before this one

const SLEPT_MS = 30_000; // a glance at another app is no sleep
const CALL = [500, 200, 500, 200, 900]; // vibration: on, off, … in ms
const SOON = [300, 200, 300];
const $ = (id) => document.getElementById(id);

export class Alarm {
  constructor(key, messages, zone) {
    this._name = `kiosk-ring-${key}`;
    this._messages = messages;
    this._zone = zone;
    this._chime = null;
    this._awake = ""; // "lock", "video" or "none" (awake.js)
    this._hiddenMs = 0;
    this._note = "";
    const { push, pushKey } = document.body.dataset;
    this._push = new Push(push, pushKey, (key) => this._sayOfPush(key));
    this._pushNote = "";
    const stored = read(this._name);
    this._near = stored.near ?? 0;
    this._rangAt = stored.rangAt ?? -1; // how many were before when it rang for that
    $("near").value = String(this._near);
    $("ring").addEventListener("click", () => (this._chime ? this._off() : this._on(true)));
    $("near").addEventListener("change", () => this._choose(Number($("near").value)));
    document.addEventListener("visibilitychange", () => this._slept());
    if (stored.on) this._on(false);
  }

  /** Whether this ticket can still be called. */
  show(may) {
    for (const id of ["ring", "ring-choice"]) $(id).hidden = !may;
    $("ring-note").hidden = !may || !this._note;
    $("push-note").hidden = !may || !this._pushNote;
  }

  call() {
    document.body.dataset.alarms = String(Number(document.body.dataset.alarms) + 1);
    navigator.vibrate?.(CALL);
    this._chime?.ring().then((rang) => rang && this._chime?.ring());
  }

  /** So many are before this ticket now. Rings once for each time that the number falls to the chosen one. */
  before(ahead) {
    if (ahead > this._near) this._rangAt = -1;
    if (!this._chime || !this._near || ahead > this._near || this._rangAt >= 0) return;
    this._rangAt = ahead;
    this._keep();
    document.body.dataset.warnings = String(Number(document.body.dataset.warnings) + 1);
    navigator.vibrate?.(SOON);
    this._chime.ring();
  }

  _on(touched) {
    this._chime = new Chime(() => this._explain());
    stayAwake((how) => {
      this._awake = how;
      this._explain();
    });
    if (touched) {
      this._chime.ring();
      navigator.vibrate?.(150);
    }
    this._keep();
    this._explain();
    this._push.on(this._near, touched);
  }

  _off() {
    this._chime = null;
    this._push.off();
    this._keep();
    this._explain();
  }

  _choose(near) {
    this._near = near;
    this._rangAt = -1;
    this._keep();
    if (this._chime) this._push.on(near, true);
    else if (near) this._on(true);
  }

  /** What the phone can do now: a browser may be silent until it is touched, a screen may switch itself off. */
  _explain() {
    const on = this._chime !== null;
    $("ring").setAttribute("aria-pressed", String(on));
    if (!on) this._say("");
    else if (!this._chime.on) this._say("ticket.ring_touch");
    else this._say(this._awake === "lock" ? "ticket.ringing" : "ticket.ring_screen");
  }

  _slept() {
    if (document.visibilityState === "hidden") this._hiddenMs = Date.now();
    else if (this._chime && this._hiddenMs && Date.now() - this._hiddenMs > SLEPT_MS) {
      const times = { from: hour(this._hiddenMs, this._zone), until: hour(Date.now(), this._zone) };
      this._say("ticket.ring_slept", times);
    }
  }

  _say(key, values) {
    this._note = key;
    $("ring-note").hidden = !key || $("ring").hidden;
    if (key) this._messages.put($("ring-note"), key, values);
  }

  _sayOfPush(key) {
    this._pushNote = key;
    $("push-note").hidden = !key || $("ring").hidden;
    if (key) this._messages.put($("push-note"), key);
  }

  _keep() {
    try {
      const stored = { on: this._chime !== null, near: this._near, rangAt: this._rangAt };
      localStorage.setItem(this._name, JSON.stringify(stored));
    } catch {
      // A browser that stores nothing rings until the page is left.
    }
  }
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}
