// A hall with many counters: each has its own place on the board and shows the number that it serves.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const CALLS_LISTED = 7; // the newest call and six others
  // Places at one time: board_counters.css has the columns of each. Somebody five metres away reads text of 3 % of a
  // television's height. So many places have that only while a number with its counter has at most "call" characters
  // (one line), or the counter alone has "name" (below its number): longer names take turns rather than shrink, for
  // nobody finds a number that nobody can read.
  const ROOMS = [
    { places: 12, name: 16, call: 24 },
    { places: 20, name: 13, call: 24 },
    { places: 25, name: 10, call: 24 },
    { places: 35, name: 16, call: 9 },
  ];
  const DIGITS = 4; // of a number, behind its letters: -042

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

  /** For how many places the board is laid out: by the names alone, so that no call changes it. */
  kiosk.roomOf = function (places, counters, queues) {
    const most = (lengths) => Math.max.apply(null, lengths);
    const prefix = (name) => {
      const counter = counters.find((one) => one.name === name);
      const own = queues.filter((queue) => counter && counter.queues.includes(queue.id));
      return most([1].concat(own.map((queue) => queue.prefix.length)));
    };
    const name = most(places.map((place) => place.counter.length));
    const call = most(places.map((place) => prefix(place.counter) + DIGITS + place.counter.length));
    const fit = ROOMS.filter((room) => room.name >= name && room.call >= call).map((room) => room.places);
    return fit.find((room) => room >= places.length) || fit[fit.length - 1];
  };
})(window.kiosk);
