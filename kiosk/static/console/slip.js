// The paper slip: a number, the queue, what to do, and a QR of the ticket's page; in English and in the language the
// clerk chose. The page itself is printed, with all else hidden; or the server prints on a printer in the network.

import { $, fill, say } from "./dom.js";
import { post } from "./net.js";

const KEPT = "kiosk-paper";
const PAGES = { 80: { name: "roll80", margin: 3 }, 58: { name: "roll58", margin: 2 } }; // as in slip.css, millimetres
const PX_A_MM = 96 / 25.4;
const SPARE_MM = 3; // a printed line may be a hair higher than on the screen, and a second page would be cut off
const lengths = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, lengths];
const SHORT_TOKEN = 6; // characters of a number that fit the paper in the largest letters
const KEPT_LANGUAGE = "kiosk-slip-language";
const KEPT_LARGE = "kiosk-slip-large";
const KEPT_PRINTER = "kiosk-slip-printer";

// Paper, language, size and printer are the machine's: what was chosen last holds.
export function choices() {
  const radios = [...document.querySelectorAll("input[name=paper]")];
  const width = localStorage.getItem(KEPT);
  for (const radio of radios) {
    if (radio.value === width) radio.checked = true;
    radio.addEventListener("change", () => localStorage.setItem(KEPT, radio.value));
  }
  holds($("slip-language"), KEPT_LANGUAGE);
  if ($("slip-printer")) holds($("slip-printer"), KEPT_PRINTER);
  const large = $("slip-large");
  large.checked = localStorage.getItem(KEPT_LARGE) === "1";
  large.addEventListener("change", () => localStorage.setItem(KEPT_LARGE, large.checked ? "1" : ""));
}

// A choice that is not offered any more is none.
function holds(select, name) {
  select.value = localStorage.getItem(name) ?? "";
  if (select.selectedIndex < 0) select.value = "";
  select.addEventListener("change", () => localStorage.setItem(name, select.value));
}

// The name of the chosen printer in the network; empty: the browser prints.
export const printer = () => $("slip-printer")?.value ?? "";

export const onPrinter = (named, ticket) =>
  post("/console/slip/print", {
    printer: named,
    ticket,
    language: $("slip-language").value,
    large: $("slip-large").checked,
  });

function translate(place, code, local, slip) {
  const ahead = local && slip.ahead ? `${local.ahead}: ${slip.ahead}` : "";
  const lines = local && { ...local, ahead, queue: slip.queue_names[code], facility: slip.facility_names?.[code] };
  for (const node of place.querySelectorAll("[data-local]")) {
    node.lang = code;
    node.dir = local?.direction ?? "ltr";
    say(node, lines?.[node.dataset.local]);
  }
}

export async function print(slip, messages) {
  const place = $("slip");
  const before = slip.ahead ? fill(messages.slip_ahead, { count: slip.ahead }) : "";
  for (const node of place.querySelectorAll("[data-slip]")) say(node, { ...slip, before }[node.dataset.slip]);
  const code = $("slip-language").value;
  translate(place, code, slip.local[code], slip);
  place.classList.toggle("large", $("slip-large").checked);
  place.classList.toggle("long", slip.token.length > SHORT_TOKEN);
  const width = document.querySelector("input[name=paper]:checked")?.value === "58" ? 58 : 80;
  place.classList.toggle("narrow", width === 58);
  const picture = $("slip-qr");
  picture.src = slip.qr;
  // A slip without its picture or its script's own font still has the number.
  await Promise.allSettled([picture.decode(), ...fontsOf(place)]);
  fit(place, width);
  window.print();
}

// The page is as long as what stands on it.
function fit(place, width) {
  const { name, margin } = PAGES[width];
  place.classList.add("measured");
  const length = Math.ceil(place.offsetHeight / PX_A_MM) + 2 * margin + SPARE_MM;
  place.classList.remove("measured");
  lengths.replaceSync(`@page ${name} { size: ${width}mm ${length}mm; margin: ${margin}mm }`);
}

// What is hidden until it is printed has no font yet.
function fontsOf(place) {
  return [...place.querySelectorAll("[data-local]")]
    .filter((node) => node.textContent)
    .map((node) => document.fonts.load(`1em ${getComputedStyle(node).fontFamily}`, node.textContent));
}
