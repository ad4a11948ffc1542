// A page that stays open for months takes a new release by itself. The server says the mark of the pages that it has
// now; when it is another than this page's, the page is fetched once, and loaded again only if what came is new.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const SOONEST_MS = 30000; // a restart with an old and a new process side by side is over
  const SPREAD_MS = 300000; // ten thousand screens are then some thirty pages a second
  const QUIET_AGAIN_MS = 5000;
  const OLD_AGAIN_MS = 600000; // a proxy still serves the old page
  const SAME_AGAIN_MS = 3600000; // the same release is not loaded twice in an hour, whatever a proxy serves
  const STORED = "kiosk-renewed";

  const own = document.body.dataset.pages;
  let wanted = own;
  let timer = 0;

  /** quiet() is true when nobody would miss the page for a second; found() runs as soon as the new page is there.
   *  Returns what must hear each mark that the server says. */
  function renewal(quiet, found) {
    const later = (ms) => {
      timer = setTimeout(look, ms);
    };

    /** A page that cannot be fetched or is the old one is left alone: the screen goes on showing what it shows. */
    function look() {
      fetch(location.href, { cache: "no-store", credentials: "same-origin", headers: { "X-Kiosk-Live": "1" } })
        .then((answer) => (answer.ok ? answer.text() : ""))
        .then((text) => {
          const mark = (/data-pages="(\w+)"/.exec(text) || [])[1];
          if (!mark || mark === own || loadedBefore(mark)) {
            later(OLD_AGAIN_MS);
            return;
          }
          if (found) found();
          whenQuiet(mark);
        })
        .catch(() => later(OLD_AGAIN_MS));
    }

    function whenQuiet(mark) {
      if (!quiet()) {
        timer = setTimeout(() => whenQuiet(mark), QUIET_AGAIN_MS);
        return;
      }
      remember(mark);
      location.reload();
    }

    return (mark) => {
      if (mark === wanted) return;
      wanted = mark;
      clearTimeout(timer);
      if (mark !== own) later(SOONEST_MS + Math.random() * SPREAD_MS);
    };
  }

  /** Storage may be forbidden: the fetched page is then the only proof, and the waits above keep loads apart. */
  function loadedBefore(mark) {
    try {
      const stored = (sessionStorage.getItem(STORED) || "").split(" ");
      return stored[0] === mark && Date.now() - Number(stored[1]) < SAME_AGAIN_MS;
    } catch (_error) {
      return false;
    }
  }

  function remember(mark) {
    try {
      sessionStorage.setItem(STORED, `${mark} ${Date.now()}`);
    } catch (_error) {
      // see above
    }
  }

  let touchedAt = 0;
  for (const kind of ["pointerdown", "mousedown", "keydown", "touchstart"]) {
    addEventListener(
      kind,
      () => {
        touchedAt = Date.now();
      },
      true
    );
  }

  /** Whether nobody touched this page for so long. */
  const untouched = (ms) => Date.now() - touchedAt >= ms;

  Object.assign(kiosk, { renewal, untouched });
})(window.kiosk);
