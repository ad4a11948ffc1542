// The paper slip: a number, the queue, and a QR of the ticket's page. The page itself is printed, with all else hidden.

import { $, fill, say } from './dom.js';

const KEPT = 'kiosk-paper';

export function paper() {
  const radios = [...document.querySelectorAll('input[name=paper]')];
  const kept = localStorage.getItem(KEPT);
  for (const radio of radios) {
    if (radio.value === kept) radio.checked = true;
    radio.addEventListener('change', () => localStorage.setItem(KEPT, radio.value));
  }
}

export async function print(slip, words) {
  const place = $('slip');
  const before = slip.ahead ? fill(words.slip_ahead, { count: slip.ahead }) : '';
  for (const node of place.querySelectorAll('[data-slip]')) say(node, { ...slip, before }[node.dataset.slip]);
  place.classList.toggle('narrow', document.querySelector('input[name=paper]:checked')?.value === '58');
  const picture = $('slip-qr');
  picture.src = slip.qr;
  await picture.decode().catch(() => undefined); // a slip without its picture still has the number
  window.print();
}
