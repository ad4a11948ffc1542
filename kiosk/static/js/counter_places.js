// A hall with many counters: each has its own place on the board and shows the number that it serves.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const CALLS_LISTED = 7; // the newest call and six others
  const ROOMS = [12, 20, 35]; // places at one time: board_counters.css has the columns of each

  /** The counters of these queues in the facility's order, each with its call; null while all calls fit in a list. */
  kiosk.counterPlaces = function (counters, ids, calls) {
    const at = new Map();
    for (const call of calls) if (!at.has(call.counter)) at.set(call.counter, call); // the newest stands first
    const names = counters
      .filter((one) => at.has(one.name) || (one.open && one.queues.some((id) => ids.includes(id))))
      .map((one) => one.name);
    for (const name of Array.from(at.keys())) if (!names.includes(name)) names.push(name); // taken away meanwhile
    if (names.length <= CALLS_LISTED) return null;
    return names.map((name) => at.get(name) || { token: "", counter: name });
  };

  /** For how many places the board is laid out. */
  kiosk.roomOf = (places) => ROOMS.find((room) => room >= places.length) || ROOMS[ROOMS.length - 1];
})(window.kiosk);
