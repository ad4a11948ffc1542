// The queues on a board: a card for each of up to four, a line for each of more.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const { add, make } = kiosk;
  const CARDS = 4;
  const LISTS = [8, 12]; // lines at one time: board_queue_list.css has the height of each
  const NEXT_SHOWN = { 1: 12, 2: 8 }; // numbers, by how many cards share the column; else 6
  const LONG_NAME = 16; // characters of a queue's name that fit in one line beside the count
  const LONG_IN_LINE = 24;
  const DIGITS = 4; // of a number, behind its letters: -042

  /** For how many queues the board is laid out: everybody finds the own queue in its place, without a turn of pages. */
  kiosk.queueRoom = (queues) => [CARDS, ...LISTS].find((room) => room >= queues) || LISTS[LISTS.length - 1];
  kiosk.isQueueList = (room) => room > CARDS;

  /** How wide the numbers of a list are: narrow for M-003, wide for ENT-003, widest for ENT-1000. */
  kiosk.widthOfNumbers = function (queues) {
    const lengths = queues.map((queue) => queue.prefix.length + DIGITS);
    for (const queue of queues) for (const token of queue.next) lengths.push(token.length);
    const longest = Math.max.apply(null, lengths);
    if (longest > 7) return "widest";
    return longest > 5 ? "wide" : "narrow";
  };

  kiosk.numberItem = function (token) {
    const item = make("li", "token", token);
    item.dir = "ltr";
    return item;
  };

  /** The heading of a list of queues; an upright screen has two lists beside each other. */
  kiosk.queueColumns = function (messages, turn) {
    const heading = make("p", "columns");
    for (const text of [turn, ""]) {
      const part = make("span", "turns", text);
      part.dir = "ltr";
      const titles = [labelled(messages, "board.waiting"), labelled(messages, "board.next")];
      add(heading, [add(make("span", "column"), [part, ...titles])]);
    }
    return heading;
  };

  kiosk.queueCard = function (queue, room, messages) {
    const card = make("article", "queue");
    card.dataset.queue = queue.id;
    const name = make("h3");
    messages.name(name, queue);
    if (messages.isLong(queue, LONG_NAME)) name.setAttribute("data-long", "");
    if (messages.isLong(queue, LONG_IN_LINE)) name.setAttribute("data-longer", "");
    const waiting = make("strong", "figure waiting", messages.digits(queue.waiting));
    const count = add(make("span", "count"), [labelled(messages, "board.waiting"), waiting]);
    add(card, [add(make("div", "head"), [name, count])]);
    if (queue.open || queue.waiting) return add(card, [nextNumbers(queue, room, messages)]);
    card.dataset.shut = "";
    const shut = add(make("p", "shut"), [labelled(messages, "board.closed")]);
    if (queue.opens) {
      const opens = make("span", "opens");
      messages.opens(opens, queue.opens);
      add(shut, [opens]);
    }
    return add(card, [shut]);
  };

  function nextNumbers(queue, room, messages) {
    const next = make("ol", "next");
    if (queue.next.length) {
      const title = make("li", "label");
      messages.put(title, "board.next");
      add(next, [title]);
    }
    return add(next, queue.next.slice(0, NEXT_SHOWN[room] || 6).map(kiosk.numberItem));
  }

  function labelled(messages, key) {
    const text = make("span");
    messages.put(text, key);
    return text;
  }
})(window.kiosk);
