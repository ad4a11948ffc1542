// A bookmark for another program's form: a pasted line of tab-separated values fills the fields from the one with the
// cursor on, in the order of the page. It sends nothing anywhere and ends when the page is left. An empty value leaves
// its field as it is; a text without a tab is pasted as ever.
(() => {
  const NOT_FILLED = ["hidden", "submit", "button", "reset", "image", "file", "checkbox", "password"];
  const same = (one, other) => one.trim().toLowerCase() === other.trim().toLowerCase();

  // The fields that a clerk sees and may change; radio buttons of one name count as one field.
  function fieldsOf(page) {
    const seen = new Set();
    return [...page.querySelectorAll("input, select, textarea")].filter((field) => {
      if (field.disabled || field.readOnly || NOT_FILLED.includes(field.type) || !field.getClientRects().length)
        return false;
      if (field.type !== "radio") return true;
      const first = !seen.has(field.name);
      seen.add(field.name);
      return first;
    });
  }

  const labelOf = (field) => [...(field.labels ?? [])].map((one) => one.textContent).join(" ");

  // By value or by words; M also means Male.
  function option(options, wanted, codeOf, wordsOf) {
    const begins = (one) => wordsOf(one).trim().toLowerCase().startsWith(wanted.trim().toLowerCase());
    return options.find((one) => same(codeOf(one), wanted) || same(wordsOf(one), wanted)) ?? options.find(begins);
  }

  // As the browser itself sets a value, so that pages that watch their fields notice.
  function write(field, value) {
    const kind = Object.getPrototypeOf(field);
    Object.getOwnPropertyDescriptor(kind, "value").set.call(field, value);
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  }

  function put(page, field, text) {
    if (field.type === "radio") {
      const group = [...page.querySelectorAll('input[type="radio"]')].filter((one) => one.name === field.name);
      option(group, text, (one) => one.value, labelOf)?.click();
    } else if (field.tagName === "SELECT") {
      const found = option(
        [...field.options],
        text,
        (one) => one.value,
        (one) => one.text,
      );
      if (found) write(field, found.value);
    } else if (field.type === "date") {
      const parts = text.match(/^(\d{2})[-/](\d{2})[-/](\d{4})$/);
      write(field, parts ? `${parts[3]}-${parts[2]}-${parts[1]}` : text);
    } else write(field, text);
  }

  function pasted(event) {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!text.includes("\t")) return;
    const page = event.target.ownerDocument;
    const fields = fieldsOf(page);
    const start = fields.indexOf(event.target);
    if (start < 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const values = text.replace(/[\r\n]+$/, "").split("\t");
    values.forEach((value, at) => {
      if (value !== "" && fields[start + at]) put(page, fields[start + at], value);
    });
    fields[Math.min(start + values.length, fields.length) - 1].focus();
  }

  function listen(view) {
    try {
      if (view.kioskPasteHelper) return;
      view.kioskPasteHelper = true;
      view.document.addEventListener("paste", pasted, true);
      for (let at = 0; at < view.frames.length; at += 1) listen(view.frames[at]);
    } catch {
      // a frame of another site is not ours to fill
    }
  }

  listen(window);
  const note = document.createElement("div");
  note.textContent = "Paste helper is on: put the cursor into the first field and paste.";
  note.style.cssText =
    "position:fixed;z-index:2147483647;right:1em;top:1em;padding:.6em 1em;background:#063;color:#fff;font:16px sans-serif";
  document.body.append(note);
  setTimeout(() => note.remove(), 4000);
})();
