// The page on which a person records the hospital's voice: one phrase after another, each heard back from the server.

import { $, fill, keyOf, say } from "./dom.js";
import { NoAnswer, SignedOut, post } from "./net.js";
import { Recorder, base64, fileToWav, hasMicrophone } from "./recorder.js";

const card = $("record-card");
const { language } = card.dataset;
const messages = JSON.parse(card.dataset.words);
const rows = [...document.querySelectorAll(".phrase")];
const recorder = new Recorder(card.dataset.worklet);
const player = new Audio();
const LONGEST_FILE = 20 << 20; // bytes; a minute of the largest sound files

let chosen = null;
let busy = false;
let played = 0;

const missing = () => rows.filter((row) => row.dataset.voice === "missing");

function choose(row) {
  if (!row || recorder.recording) return;
  chosen?.setAttribute("aria-pressed", "false");
  chosen = row;
  row.setAttribute("aria-pressed", "true");
  row.scrollIntoView({ block: "nearest" });
  paint();
}

function paint() {
  const { words: phrase, meaning, voice } = chosen.dataset;
  say($("say-this"), phrase);
  say($("meaning"), meaning === phrase ? "" : meaning);
  say($("voice-now"), messages[voice]);
  say($("counted"), `${rows.indexOf(chosen) + 1} / ${rows.length}`);
  $("hear").disabled = voice === "missing";
  $("take-away").disabled = voice !== "own";
  say($("record-words"), recorder.recording ? messages.stop : messages.record);
  const first = missing().filter((row) => row.closest("#first")).length;
  const left = missing().length;
  say(
    $("state"),
    fill(first ? messages.silent : left ? messages.speaks : messages.speaks_whole, { left: first || left }),
  );
}

// The next missing phrase behind the chosen one; at the end of the list the first one.
function nextMissing() {
  const left = missing();
  const at = rows.indexOf(chosen);
  return left.find((row) => rows.indexOf(row) > at) ?? left[0] ?? null;
}

function goOn() {
  const next = nextMissing();
  if (next) choose(next);
  else say($("said"), messages.all_there);
}

const phraseOf = (row) => ({ language, part: row.dataset.part });

// The answer of the server for this phrase, as the page shows it. False when nothing was changed.
async function send(row, answering) {
  busy = true;
  try {
    const answer = await answering;
    row.dataset.voice = answer.voice;
    say(row.querySelector(".tag"), messages[answer.voice]);
    say($("said"), answer.words);
    return true;
  } catch (trouble) {
    if (trouble instanceof SignedOut) say($("said"), messages.signed_out);
    else say($("said"), trouble instanceof NoAnswer ? messages.no_answer : trouble.message);
    return false;
  } finally {
    busy = false;
    paint();
  }
}

async function record() {
  if (recorder.recording) {
    recorder.stop();
    return;
  }
  if (busy || !hasMicrophone()) return;
  busy = true;
  player.pause();
  try {
    await recorder.open();
  } catch {
    without(messages.not_allowed);
    return;
  } finally {
    busy = false;
  }
  const row = chosen;
  say($("said"), fill(messages.speak, { words: row.dataset.words }));
  const sound = recorder.record((loudness) => {
    $("level").value = loudness;
  });
  paint();
  const wav = await sound;
  paint();
  if (!wav) {
    say($("said"), messages.stopped);
    return;
  }
  await save(row, wav);
}

async function save(row, wav) {
  say($("said"), messages.sending);
  const saved = await send(row, post("/console/voice/save", { ...phraseOf(row), sound: base64(wav) }));
  if (!saved || !nextMissing()) return;
  choose(nextMissing());
  if ($("one-after-another").checked) record();
}

async function upload() {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file || busy) return;
  let wav = null;
  try {
    if (file.size > LONGEST_FILE) throw new Error("too large");
    wav = await fileToWav(file);
  } catch {
    say($("said"), messages.not_sound);
    return;
  }
  await save(chosen, wav);
}

function hear(address) {
  played += 1;
  player.src = `${address}${address.includes("?") ? "&" : "?"}heard=${played}`; // an earlier recording is not heard again
  player.play().catch(() => say($("said"), messages.cannot_hear));
}

const hearPhrase = () => chosen.dataset.voice !== "missing" && hear(card.dataset.clips + chosen.dataset.part);
const takeAway = () =>
  !busy && chosen.dataset.voice === "own" && send(chosen, post("/console/voice/remove", phraseOf(chosen)));
const step = (by) => choose(rows[(rows.indexOf(chosen) + by + rows.length) % rows.length]);

function without(sentence) {
  $("record").disabled = true;
  $("one-after-another").disabled = true;
  $("no-microphone").hidden = false;
  say($("no-microphone"), sentence);
}

const keys = {
  r: record,
  h: hearPhrase,
  n: goOn,
  c: () => hear(card.dataset.call),
  Delete: takeAway,
  ArrowUp: () => step(-1),
  ArrowDown: () => step(1),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.target.closest("summary, .menu, input[type=file]")) return;
  const act = keys[keyOf(event)];
  if (!act) return;
  event.preventDefault();
  act();
});
for (const row of rows) row.addEventListener("click", () => choose(row));
$("record").addEventListener("click", record);
$("hear").addEventListener("click", hearPhrase);
$("next").addEventListener("click", goOn);
$("take-away").addEventListener("click", takeAway);
$("hear-call").addEventListener("click", keys.c);
$("file").addEventListener("change", upload);

choose(missing()[0] ?? rows[0]);
if (!hasMicrophone()) without(messages.no_microphone);
document.documentElement.dataset.running = "yes";
