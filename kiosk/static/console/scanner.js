// A desk scanner is a keyboard that types faster than a person. What it types is one text, never a row of moves.

const FAST_MS = 50; // between two keys; people need 60 ms and more, scanners 1 to 30 ms
const PAUSE_MS = 200; // within what is a scan already: a wireless scanner or a busy PC halts in the middle
const LATE_END_MS = 300; // some scanners pause before the closing key; a person's next key comes later
const SHORTEST = 4; // keys; a person may press two or three together
const LONGEST = 8192; // characters; the longest QR holds 4,296
const TEXT_FIELDS = "input:not([type=radio]):not([type=checkbox]), textarea, select";
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

const isText = (event) => event.key.length === 1 || event.key === "Dead" || event.key === "Process";
const isModifier = (event) =>
  ["Shift", "CapsLock", "NumLock", "AltGraph", "Alt", "Control", "Meta"].includes(event.key);

export class Scanner {
  #keys = [];
  #lastAt = 0;
  #field = null;
  #before = "";
  #timer = 0;
  #certain = false; // it is a scan, whatever follows
  #openSince = -LATE_END_MS; // when a scan was taken whose closing key has not come

  /** scanned({ text, physical }): the text by the layout's characters, and by the place of the keys. */
  constructor(scanned) {
    this.scanned = scanned;
    addEventListener("keydown", (event) => this.#hear(event), { capture: true });
  }

  #hear(event) {
    if (!event.isTrusted || isModifier(event)) return;
    const late = event.timeStamp - this.#lastAt > this.#patience();
    if (late && this.#keys.length) this.#end();
    const ends = event.key === "Enter" || event.key === "Tab";
    if (ends && !this.#keys.length && event.timeStamp - this.#openSince < LATE_END_MS) {
      this.#openSince = -LATE_END_MS;
      swallow(event);
      return;
    }
    if (ends && this.#isScan()) {
      swallow(event);
      this.#take();
    } else if (ends || !isText(event) || event.repeat || event.ctrlKey || event.metaKey) this.#end();
    else this.#add(event);
  }

  #add(event) {
    const field = event.target.closest?.(TEXT_FIELDS) ?? null;
    if (!this.#keys.length) {
      // Space on a button presses it, and on a choice takes it: that is the browser's own.
      if (event.key === " " && event.target.closest?.("button, a, summary, input, select")) return;
      this.#field = field;
      this.#before = field?.value ?? "";
    }
    if (!this.#field) swallow(event);
    if (this.#keys.length < LONGEST) this.#keys.push(copyOf(event));
    this.#lastAt = event.timeStamp;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), this.#patience());
  }

  #patience() {
    this.#certain ||= this.#isScan();
    return this.#certain ? PAUSE_MS : FAST_MS;
  }

  #text() {
    return this.#keys.map((key) => (key.key.length === 1 ? key.key : "")).join("");
  }

  #physical() {
    return this.#keys.map(physical).join("");
  }

  #isScan() {
    if (this.#keys.length < SHORTEST) return false;
    return !this.#field || SCAN_IN_FIELD.test(this.#text()) || SCAN_IN_FIELD.test(this.#physical());
  }

  /** Silence, or a key that no scanner sends within a text: a scan without a closing key, or a person. */
  #end() {
    if (this.#isScan()) {
      this.#openSince = this.#lastAt;
      this.#take();
      return;
    }
    const keys = this.#field ? [] : this.#keys;
    this.#reset();
    // A person's keys, a moment later, to whatever has the focus by then.
    for (const key of keys) {
      const target = document.activeElement ?? document.body;
      target.dispatchEvent(new KeyboardEvent("keydown", { ...key, bubbles: true, cancelable: true, composed: true }));
    }
  }

  #take() {
    const found = { text: this.#text(), physical: this.#physical() };
    if (this.#field) {
      this.#field.value = this.#before;
      this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.#reset();
    this.scanned(found);
  }

  #reset() {
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
