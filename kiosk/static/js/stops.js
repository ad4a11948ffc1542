// The stops of a ticket that was sent from queue to queue: those behind it, and where it stands now. What comes next is
// not known before staff send the person on, so it is not shown.

const { icon, hour, make } = window.kiosk;

/** One line, made once and drawn again: a screen reader that reads the list is not thrown out of it. */
function line(list, place) {
  if (list.children[place]) return list.children[place];
  const item = make("li");
  item.append(icon("check"), document.createElement("bdi"), make("span", "stop-text"));
  list.append(item);
  return item;
}

function draw(item, messages, queue, look, key, values) {
  const [sign, name, text] = item.children;
  sign.className = `icon icon-${look}`;
  messages.name(name, queue);
  messages.put(text, key, values);
}

/** stops: [{ queue, ended_ms, came }], oldest first. now: { queue, look, key, values, over }. queueOf: id → { name, names } */
export function drawStops(list, messages, zone, stops, now, queueOf) {
  for (const [place, stop] of stops.entries()) {
    const item = line(list, place);
    const key = stop.came ? "ticket.stop_done" : "ticket.stop_left";
    item.removeAttribute("aria-current");
    draw(item, messages, queueOf(stop.queue), stop.came ? "check" : "walk", key, { time: hour(stop.ended_ms, zone) });
  }
  const last = line(list, stops.length);
  if (now.over) last.removeAttribute("aria-current");
  else last.setAttribute("aria-current", "step");
  draw(last, messages, queueOf(now.queue), now.look, now.key, now.values);
  while (list.children.length > stops.length + 1) list.lastChild.remove();
}
