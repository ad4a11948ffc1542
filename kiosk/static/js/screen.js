// What every hanging screen does: stay awake, tell the time, and take turns between languages.

const TURN_MS = 10_000; // a slow reader finishes the longest line twice

export function stayAwake() {
  const ask = () => navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  ask();
}

/** Fetch every script's letters now: a language whose turn comes when the server is gone must still be readable. */
export function bringLetters() {
  for (const face of document.fonts) face.load().catch(() => {});
}

/** change() after each turn of language. */
export function takeTurns(words, change) {
  const turn = () => {
    const before = words.code;
    words.turn();
    if (words.code !== before) change();
  };
  let timer = setInterval(turn, TURN_MS);
  let rest = 0;
  return {
    /** Somebody chose a language: let them read. */
    hold(ms) {
      clearInterval(timer);
      clearTimeout(rest);
      rest = setTimeout(() => (timer = setInterval(turn, TURN_MS)), ms);
    },
  };
}

/** Hour and minute at the facility, in 24 hours and plain digits, or in the screen's own. */
export function hour(ms, zone, words) {
  const text = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(ms);
  return words ? words.digits(text) : text;
}

/** The date in words, or in figures where this browser does not know the language. */
export function day(ms, zone, words) {
  const known = Intl.DateTimeFormat.supportedLocalesOf([words.code]).length > 0;
  const format = known
    ? new Intl.DateTimeFormat(`${words.code}-IN-u-nu-latn`, {
        weekday: "long",
        day: "numeric",
        month: "long",
        timeZone: zone,
      })
    : new Intl.DateTimeFormat("en-IN", { day: "2-digit", month: "2-digit", year: "numeric", timeZone: zone });
  return words.digits(format.format(ms));
}
