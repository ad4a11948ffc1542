// The texts of a screen, in the languages it was served with. Only textContent is ever set.
// Scripts of boards and counter screens are classic scripts in the syntax of 2016: televisions run engines that old.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  class Messages {
    /** codes: the languages that take turns here. The book may hold others, which can be chosen. */
    constructor(book, codes, digits) {
      this._book = book;
      this._native = digits === "native";
      this.codes = codes;
      this.code = codes[0];
    }

    get direction() {
      return this._book[this.code].direction;
    }

    /** Change to the next language of those that take turns. */
    turn() {
      this.code = this.codes[(this.codes.indexOf(this.code) + 1) % this.codes.length];
    }

    say(key, values, code) {
      const text = this._book[code || this.code][key] || "";
      return text.replace(/\{(\w+)\}/g, (_, name) => (values && name in values ? values[name] : ""));
    }

    /** A count in the digits of this screen. Token numbers never pass here: they must match the phone. */
    digits(number) {
      const native = this._book[this.code].native_digits;
      return this._native
        ? String(number).replace(/[0-9]/g, (digit) => Array.from(native)[Number(digit)])
        : String(number);
    }

    /** A day in words. Weekdays count from Sunday, months from January, both from 0. */
    date(weekday, day, month) {
      const book = this._book[this.code];
      const parts = {
        EEEE: book.weekdays.split("|")[weekday],
        d: this.digits(day),
        MMMM: book.months.split("|")[month],
      };
      return book.date.replace(/EEEE|MMMM|d/g, (part) => parts[part]);
    }

    /** Set an element's text now and after each change of language. */
    put(element, key, values) {
      element.setAttribute("data-say", key);
      if (values) element.setAttribute("data-values", JSON.stringify(values));
      else element.removeAttribute("data-values");
      this._fill(element);
    }

    /** Say when a queue opens that its hours keep closed. */
    opens(element, opening) {
      const days = ["common.opens_today", "common.opens_tomorrow"];
      this.put(element, days[opening.days] || "common.opens_on", { time: opening.time, on: opening.date });
    }

    /** A date such as 2026-12-07 in words. */
    day(iso) {
      const [year, month, day] = iso.split("-").map(Number);
      return this.date(new Date(Date.UTC(year, month - 1, day)).getUTCDay(), day, month - 1);
    }

    /** Set the name of a queue or of the hospital, now and after each change of language: that of the language, else the
     * plain one. */
    name(element, named) {
      element.setAttribute("data-name", named.name);
      element.setAttribute("data-names", JSON.stringify(named.names || {}));
      this._fillName(element);
    }

    /** Whether the name of a queue or of the hospital is longer than so many characters in a language of this screen.
     * What it stands in keeps its look while the language changes. */
    isLong(named, most) {
      return Object.keys(this._book).some((code) => ((named.names || {})[code] || named.name).length > most);
    }

    /** Use another book: somebody corrected a sentence. */
    take(book) {
      this._book = book;
      this.everywhere();
    }

    /** Set all texts again, in the language whose turn it is. */
    everywhere() {
      for (const element of Array.from(document.querySelectorAll("[data-say]"))) this._fill(element);
      for (const element of Array.from(document.querySelectorAll("[data-names]"))) this._fillName(element);
    }

    _fillName(element) {
      const own = JSON.parse(element.getAttribute("data-names"))[this.code];
      if (own) element.lang = this.code;
      else element.removeAttribute("lang");
      element.dir = "auto";
      element.textContent = own || element.getAttribute("data-name");
    }

    _fill(element) {
      element.lang = this.code;
      element.dir = this.direction;
      const values = JSON.parse(element.dataset.values || "{}");
      if (values.on) values.date = this.day(values.on);
      element.textContent = this.say(element.dataset.say, values);
    }
  }

  function make(name, className, text) {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.textContent = text || "";
    return element;
  }

  function icon(name, more) {
    const element = make("span", `icon icon-${name} ${more || ""}`.trim());
    element.setAttribute("aria-hidden", "true");
    return element;
  }

  /** Add nodes at the end. Element.append is newer than Chromium 53. */
  function add(element, nodes) {
    for (const node of nodes) element.appendChild(node);
    return element;
  }

  /** Put these nodes in place of all that the element holds. */
  function replace(element, nodes) {
    element.textContent = "";
    return add(element, nodes);
  }

  Object.assign(kiosk, { Messages, make, icon, add, replace });
})(window.kiosk);
