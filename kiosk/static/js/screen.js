// What every hanging screen does: stay awake, tell the time, and take turns between languages.

const TURN_MS = 10_000; // a slow reader finishes the longest line twice

export function stayAwake() {
  const ask = () => navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  ask();
}

/** change() after each turn of language. */
export function takeTurns(words, change) {
  if (words.codes.length < 2) return { hold() {} };
  const turn = () => {
    words.turn();
    change();
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

export function day(ms, zone, words) {
  const locale = `${words.code}-IN-u-nu-latn`;
  const text = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", timeZone: zone }).format(ms);
  return words.digits(text);
}
