// What the screen says, in the languages it was given. Only textContent is ever set.

export class Words {
  #book;
  #native;

  /** codes: the languages that take turns here; others of the book can be chosen. */
  constructor(book, codes, digits) {
    this.#book = book;
    this.codes = codes;
    this.code = codes[0];
    this.#native = digits === "native";
  }

  get direction() {
    return this.#book[this.code].direction;
  }

  /** The next language of those that take turns. */
  turn() {
    this.code = this.codes[(this.codes.indexOf(this.code) + 1) % this.codes.length];
  }

  say(key, values = {}, code = this.code) {
    const words = this.#book[code][key] ?? "";
    return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }

  /** A count in the digits this screen was asked to use. Token numbers never pass here: they must match the phone. */
  digits(number) {
    const native = this.#book[this.code].native_digits;
    return this.#native ? String(number).replace(/[0-9]/g, (digit) => [...native][digit]) : String(number);
  }

  /** Let an element say something, now and after each change of language. */
  put(element, key, values) {
    element.dataset.say = key;
    if (values) element.dataset.values = JSON.stringify(values);
    else delete element.dataset.values;
    this.#fill(element);
  }

  /** Say everything again, in the language whose turn it is. */
  everywhere(root = document) {
    for (const element of root.querySelectorAll("[data-say]")) this.#fill(element);
  }

  #fill(element) {
    element.lang = this.code;
    element.dir = this.direction;
    element.textContent = this.say(element.dataset.say, JSON.parse(element.dataset.values ?? "{}"));
  }
}

export function make(name, className, text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

export function icon(name, more = "") {
  const element = make("span", `icon icon-${name} ${more}`.trim());
  element.setAttribute("aria-hidden", "true");
  return element;
}
