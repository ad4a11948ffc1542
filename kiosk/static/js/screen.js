// What every hanging screen does: it stays awake, shows the time, and changes its language in turn.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const TURN_MS = 10000; // a slow reader finishes the longest line twice

  function stayAwake() {
    const request = () => {
      if (navigator.wakeLock) navigator.wakeLock.request("screen").catch(() => {});
    };
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && request());
    request();
  }

  /** Fetch every script's letters now: a language whose turn comes when the server is gone must still be readable. */
  function bringLetters() {
    document.fonts.forEach((face) => {
      face.load().catch(() => {});
    });
  }

  /** change() runs after each turn of language. */
  function takeTurns(words, change) {
    const turn = () => {
      const before = words.code;
      words.turn();
      if (words.code !== before) change();
    };
    let timer = setInterval(turn, TURN_MS);
    let rest = 0;
    return {
      /** Stop the turns for a while, so that a person who chose a language can read. */
      hold(ms) {
        clearInterval(timer);
        clearTimeout(rest);
        rest = setTimeout(() => {
          timer = setInterval(turn, TURN_MS);
        }, ms);
      },
    };
  }

  /** Hour and minute at the facility, in 24 hours and plain digits, or in the screen's own. */
  function hour(ms, zone, words) {
    const text = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(ms);
    return words ? words.digits(text) : text;
  }

  /** The date in words, or in figures where this browser does not know the language. */
  function day(ms, zone, words) {
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

  Object.assign(kiosk, { stayAwake, bringLetters, takeTurns, hour, day });
})(window.kiosk);
