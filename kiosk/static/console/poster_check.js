// A poster's code, read by the camera, from a picture, or by the scanner of the desk. Its text goes into the form.

import { $, say } from "./dom.js";
import { Scanner } from "./scanner.js";

const form = $("check");
const messages = JSON.parse(form.dataset.words);
const video = $("view");
const file = $("picture").querySelector("input");
const WIDEST = 1000; // pixels that are looked at: a code that fills a third of them has eight for each module
const LOOK_MS = 150; // between two looks: a look takes an old phone a tenth of a second

const canvas = document.createElement("canvas");
const pen = canvas.getContext("2d", { willReadFrequently: true });

function check(text, physical = "") {
  form.elements.text.value = text;
  form.elements.physical.value = physical;
  form.requestSubmit();
}

// The text of the code in a picture or in the camera's view; null when there is none.
async function read(source, width, height) {
  const { decodeQR } = await import("../vendor/qr/decode.js");
  const scale = Math.min(1, WIDEST / Math.max(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  try {
    return decodeQR(pen.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return null; // no code is in sight, or not whole
  }
}

async function look() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    say($("seen"), messages.no_camera);
    return;
  }
  say($("seen"), messages.looking);
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  let text = null;
  while (text === null) {
    if (video.videoWidth) text = await read(video, video.videoWidth, video.videoHeight);
    if (text === null) await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  for (const track of stream.getTracks()) track.stop();
  video.hidden = true;
  check(text);
}

async function picture() {
  const picture = await createImageBitmap(file.files[0]);
  const text = await read(picture, picture.width, picture.height);
  file.value = "";
  if (text === null) say($("seen"), messages.none);
  else check(text);
}

new Scanner(({ text, physical }) => check(text, physical));
$("picture").hidden = false;
file.addEventListener("change", picture);
if (isSecureContext && navigator.mediaDevices?.getUserMedia) {
  $("camera").hidden = false;
  $("camera").addEventListener("click", look);
}
form.dataset.running = "yes";
