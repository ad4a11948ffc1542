// Small hands for the page. Text goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function say(node, text) {
  const value = String(text ?? "");
  if (node.textContent !== value) node.textContent = value;
}

export function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== "") node.textContent = text;
  return node;
}

// When the page was drawn as it is now; in a tab that nobody sees, when it is seen again.
export const frameShown = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

// A text such as 60+ or ··1111 reads from left to right, whatever the page does around it.
export function isolated(className, text = "") {
  const node = make("span", className);
  node.append(make("bdi", "", text));
  return node;
}

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

// The record in the hospital's own system, in a tab of its own that learns nothing of this page.
function link(text, url) {
  const node = make("a");
  Object.assign(node, { href: url, target: "_blank", rel: "noopener noreferrer" });
  node.append(make("bdi", "", text));
  return node;
}

// Registration details as a definition list; also as lines for the clipboard.
export function describe(list, details) {
  list.replaceChildren(
    ...details.flatMap(({ label, value, url }) => {
      const word = make("dd");
      word.append(url ? link(value, url) : make("bdi", "", value));
      return [make("dt", "", label), word];
    }),
  );
}

export const copy = (details) => toClipboard(details.map(({ label, value }) => `${label}: ${value}`).join("\n"));

export async function toClipboard(text) {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  const area = make("textarea", "off");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy"); // plain http in a hospital's own network has no other way
  area.remove();
}

// The key by its place on the board when the layout writes Hindi or Urdu.
export function keyOf(event) {
  if (/^Key[A-Z]$/.test(event.code) && !/^[a-z]$/i.test(event.key)) return event.code.slice(3).toLowerCase();
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}
