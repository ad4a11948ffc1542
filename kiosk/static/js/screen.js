// What every hanging screen does: it shows the time, and changes its language in turn.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const TURN_MS = 10000; // a slow reader finishes the longest line twice

  /** Fetch every script's letters now: a language whose turn comes when the server is gone must still be readable. */
  function bringLetters() {
    document.fonts.forEach((face) => {
      face.load().catch(() => {});
    });
  }

  /** change() runs after each turn of language. */
  function takeTurns(messages, change) {
    const turn = () => {
      const before = messages.code;
      messages.turn();
      if (messages.code !== before) change();
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

  const SET_UP_MS = 300000; // the person who sets the screen up still stands there

  /** Keep awake. Where the browser cannot, say so in small letters to the person who sets the screen up. */
  function stayAwakeOrSay() {
    kiosk.stayAwake((how) => {
      document.body.dataset.awake = how;
      const note = document.getElementById("sleepy");
      if (!note || how !== "none") return;
      note.hidden = false;
      setTimeout(() => {
        note.hidden = true;
      }, SET_UP_MS);
    });
  }

  /** Hour and minute at the facility, in 24 hours and plain digits, or in the screen's own. */
  function hour(ms, zone, messages) {
    const text = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(ms);
    return messages ? messages.digits(text) : text;
  }

  /** The date at the facility, in the words of the language: few televisions know Kashmiri or Dogri. */
  function day(ms, zone, messages) {
    const figures = { day: "numeric", month: "numeric", year: "numeric", timeZone: zone };
    const [date, month, year] = new Intl.DateTimeFormat("en-GB", figures).format(ms).split("/").map(Number);
    return messages.date(new Date(Date.UTC(year, month - 1, date)).getUTCDay(), date, month - 1);
  }

  Object.assign(kiosk, { stayAwakeOrSay, bringLetters, takeTurns, hour, day });
})(window.kiosk);
