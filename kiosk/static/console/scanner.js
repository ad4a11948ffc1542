// A desk scanner is a keyboard that types faster than a person. What it types is one text, never a row of moves.

const FAST_MS = 50; // between two keys; people need 60 ms and more, scanners 1 to 30 ms
const LATE_TIMER_MS = 20; // a timer that is so late ran on a busy PC: keys that were pressed meanwhile are not heard yet
const WAIT_AGAIN = 4; // times; a person's key waits for a busy PC a quarter of a second at most
const PAUSE_MS = 300; // within what is a scan already: a wireless scanner or a busy PC halts in the middle
const JOIN_MS = 150; // a scan that begins so soon after keys that were played as moves had these as its beginning
const LATE_END_MS = 300; // some scanners pause before the closing key; a person's next key comes later
const OPEN_MS = 1000; // after a scan without its closing key, what still comes with one belongs to it
const SHORTEST = 4; // keys, the closing one counted; a person may press two or three together
const LONGEST = 8192; // characters; the longest QR holds 4,296
export const TEXT_FIELDS = "input:not([type=radio]):not([type=checkbox]), textarea, select";
// In a field for a name, text with a digit that was typed faster than a hand types is a barcode.
const NAME_FIELD = "[data-person-name]";
const DIGIT = /\p{Nd}/u;
// In a field for text only these are scans: the beginning of JSON, XML and a scanner's own mark, an address, a long number.
const SCAN_IN_FIELD = /^[\uFEFF\s]*[{[\]<]|:\/\/|^\d{12,}$/;
const SHIFTED = { 1: "!", 2: "@", 3: "#", 4: "$", 5: "%", 6: "^", 7: "&", 8: "*", 9: "(", 0: ")" };
const MARKS = {
  Minus: "-_",
  Equal: "=+",
  BracketLeft: "[{",
  BracketRight: "]}",
  Backslash: "\\|",
  Semicolon: ";:",
  Quote: "'\"",
  Backquote: "`~",
  Comma: ",<",
  Period: ".>",
  Slash: "/?",
  Space: "  ",
};

/** The character that a US layout writes with this key: scanners are set to it, whatever the PC's layout is. */
export function physical(event) {
  const code = event.code;
  if (/^Key[A-Z]$/.test(code)) return event.shiftKey ? code.slice(3) : code.slice(3).toLowerCase();
  if (/^Digit\d$/.test(code)) return event.shiftKey ? SHIFTED[code.slice(5)] : code.slice(5);
  if (/^Numpad\d$/.test(code)) return code.slice(6);
  return MARKS[code] ? MARKS[code][event.shiftKey ? 1 : 0] : "";
}

// Names of keys are ASCII words. A key of the Hindi layout writes up to three characters.
export const isNamed = (key) => /^[A-Z][A-Za-z0-9]+$/.test(key);
const isText = (event) => !isNamed(event.key) || ["Dead", "Process", "Unidentified"].includes(event.key);
// German and French layouts write { and @ with AltGr, which Windows reports as Ctrl and Alt together.
const isCommand = (event) => event.metaKey || (event.ctrlKey && !event.altKey && !event.getModifierState("AltGraph"));
const CONTROLS = "button, a, summary, input, select, textarea";
const ALT_DIGIT = /^Numpad\d$/; // some scanners write each character as Alt and its number, as Windows reads it
const isModifier = (event) =>
  ["Shift", "CapsLock", "NumLock", "AltGraph", "Alt", "Control", "Meta"].includes(event.key);

// A PC that was busy runs a timer before it hears the keys that were pressed and let go meanwhile.
const isBusy = (due) => performance.now() - due > LATE_TIMER_MS || navigator.scheduling?.isInputPending?.();

const nothing = () => undefined;
const NOTHING = { keys: [], at: -JOIN_MS, within_ms: JOIN_MS, played_at: null };

export class Scanner {
  #keys = [];
  #lastAt = 0;
  #startedAt = 0;
  #handed = NOTHING; // what was dealt with before: the beginning of a scan that halted on its way
  #alt = ""; // digits while Alt is down
  #field = null;
  #before = "";
  #timer = 0;
  playsFrom = 0; // when the first of the keys that are being played as a person's was pressed
  #certain = false; // it is a scan, whatever follows
  #openSince = -OPEN_MS; // when a scan was taken whose closing key has not come
  #closedAt = -FAST_MS; // when a scan was taken by its closing key: some scanners send two

  /**
   * scanned({ text, physical }, playedAt, asName): the text by the layout's characters, and by the place of the keys.
   * playedAt: when its first keys were played as a person's, by performance.now(); null when none was.
   * asName: a barcode that was typed into the field of a name.
   * first(key): a key was pressed that may be a person's; over(): it was played, or was none, or another one came.
   * began(key): a scan began with this key. A page without moves needs none of the three.
   */
  constructor(scanned, { first = nothing, over = nothing, began = nothing } = {}) {
    Object.assign(this, { scanned, first, over, began });
    addEventListener("keydown", (event) => this.#hear(event), { capture: true });
    addEventListener("keyup", (event) => event.key === "Alt" && this.#endAlt(event), { capture: true });
  }

  #hear(event) {
    if (!event.isTrusted || isModifier(event)) return;
    const late = event.timeStamp - this.#lastAt > this.#pace();
    if (late && this.#keys.length) this.#end();
    if (event.altKey && !event.ctrlKey && ALT_DIGIT.test(event.code)) this.#addAlt(event);
    else if (event.key === "Enter" || event.key === "Tab") this.#hearClosing(event);
    else if (this.#keys.length && isCommand(event)) this.#skip(event);
    else if (!isText(event) || event.repeat || isCommand(event)) this.#end();
    else this.#add(event);
  }

  #hearClosing(event) {
    const typed = this.#keys.length;
    const isRest = event.timeStamp - this.#openSince < (typed ? OPEN_MS : LATE_END_MS);
    const isSecond = !typed && event.timeStamp - this.#closedAt < FAST_MS;
    if (isRest || isSecond || this.#isScan(1)) {
      swallow(event);
      this.#closedAt = event.timeStamp;
      this.#openSince = -OPEN_MS;
      if (this.#isScan(1)) this.#take();
      else this.#reset();
    } else if (!typed && event.key === "Enter" && !event.repeat && !event.target.closest?.(CONTROLS)) this.#add(event);
    else this.#end();
  }

  // A control character that a scanner adds or a code holds (STX, ETX, GS) comes as Ctrl and a letter.
  #skip(event) {
    if (!this.#field) swallow(event);
    this.#lastAt = event.timeStamp;
  }

  #addAlt(event) {
    if (this.#keys.length) this.#lastAt = event.timeStamp;
    this.#alt = (this.#alt + event.code.slice(6)).slice(-5);
  }

  #endAlt(event) {
    const number = Number(this.#alt);
    this.#alt = "";
    if (number < 32) return;
    const { timeStamp, target } = event;
    this.#add({ key: String.fromCharCode(number), code: "", shiftKey: false, timeStamp, target }, event);
  }

  #add(event, native = event) {
    const field = event.target.closest?.(TEXT_FIELDS) ?? null;
    if (!this.#keys.length) {
      // Space on a button presses it, and on a choice takes it: that is the browser's own.
      if (event.key === " " && event.target.closest?.("button, a, summary, input, select")) return;
      this.#startedAt = event.timeStamp;
      this.#field = field;
      this.#before = field?.value ?? "";
    }
    if (!this.#field) swallow(native);
    if (this.#keys.length < LONGEST) this.#keys.push(copyOf(event));
    this.#lastAt = event.timeStamp;
    if (this.#keys.length === 2) this.over();
    else if (this.#keys.length === 1 && !this.#field) this.first(copyOf(event));
    this.#wait();
  }

  #wait(times = 0) {
    clearTimeout(this.#timer);
    const delay_ms = this.#field ? PAUSE_MS : this.#pace(); // a field has its keys already: nobody waits for them
    const due = performance.now() + delay_ms;
    this.#timer = setTimeout(() => {
      if (isBusy(due) && times < WAIT_AGAIN) this.#wait(times + 1);
      else this.#end();
    }, delay_ms);
  }

  #pace() {
    this.#certain ||= this.#isScan();
    return this.#certain ? PAUSE_MS : FAST_MS;
  }

  #text() {
    return this.#keys.map((key) => (isNamed(key.key) ? "" : key.key)).join("");
  }

  #physical() {
    return this.#keys.map(physical).join("");
  }

  #holds(pattern) {
    return pattern.test(this.#text()) || pattern.test(this.#physical());
  }

  #isBarcodeAsName() {
    return Boolean(this.#field?.matches(NAME_FIELD)) && this.#holds(DIGIT) && !this.#holds(SCAN_IN_FIELD);
  }

  #isScan(closing = 0) {
    if (this.#keys.length + closing < SHORTEST) return false;
    return !this.#field || this.#holds(SCAN_IN_FIELD) || this.#isBarcodeAsName();
  }

  /** Silence, or a key that no scanner sends within a text: a scan without a closing key, or a person. */
  #end() {
    if (this.#isScan()) {
      this.#openSince = this.#lastAt;
      const handed = this.#field ? [] : this.#keys;
      this.#take();
      this.#handed = { keys: handed, at: this.#lastAt, within_ms: PAUSE_MS, played_at: null };
      return;
    }
    const keys = this.#field ? [] : this.#keys;
    this.#clear();
    this.playsFrom = this.#startedAt;
    if (keys.length) this.#handed = { keys, at: this.#lastAt, within_ms: JOIN_MS, played_at: performance.now() };
    // A person's keys, a moment later, to whatever has the focus by then.
    for (const key of keys) {
      const target = document.activeElement ?? document.body;
      target.dispatchEvent(new KeyboardEvent("keydown", { ...key, bubbles: true, cancelable: true, composed: true }));
    }
    if (keys.length === 1) this.over();
  }

  #take() {
    const before = !this.#field && this.#startedAt - this.#handed.at < this.#handed.within_ms ? this.#handed : NOTHING;
    this.#handed = NOTHING;
    this.#keys.unshift(...before.keys);
    const found = { text: this.#text(), physical: this.#physical() };
    const asName = this.#isBarcodeAsName();
    if (!this.#field) this.began(this.#keys[0]);
    if (this.#field) {
      this.#field.value = this.#before;
      this.#field.dispatchEvent(new Event("input", { bubbles: true }));
      if (asName) this.#field.select();
    }
    this.#reset();
    this.scanned(found, before.played_at, asName);
  }

  #reset() {
    if (this.#keys.length === 1) this.over();
    this.#clear();
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#keys = [];
    this.#certain = false;
    this.#field = null;
  }
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

const copyOf = ({ key, code, shiftKey }) => ({ key, code, shiftKey });
