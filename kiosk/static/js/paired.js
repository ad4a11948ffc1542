// What a paired screen does: it reports itself, and follows what the administrator sets. No login, no remote control.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const REPORT_MS = 30000; // the administrator's page calls a screen silent after three minutes
  const ANSWER_MS = 10000; // a server that takes longer is as good as away
  const SPREAD_MS = 1000; // the screens of a facility do not all ask in one moment

  const body = document.body;
  let timer = 0;
  let changes = null; // of the facility's screens, as the newest snapshot counts them

  kiosk.volume = body.dataset.volume ? Number(body.dataset.volume) / 100 : 1;
  kiosk.soundedAt = 0;

  /** What this browser is to show: {paired, address, volume, voices}. Old engines send cookies only where they are told to. */
  function askState(report) {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("late")), ANSWER_MS));
    const answer = fetch(body.dataset.state, {
      method: "POST",
      credentials: "same-origin",
      cache: "no-store",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(report),
    }).then((response) => {
      if (!response.ok) throw new Error(String(response.status));
      return response.json();
    });
    return Promise.race([answer, late]);
  }

  function report() {
    askState({
      release: body.dataset.release,
      sound: body.dataset.sound || "",
      silent_s: kiosk.soundedAt ? Math.round((Date.now() - kiosk.soundedAt) / 1000) : null,
    })
      .then(follow)
      .then(later, later);
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(report, REPORT_MS * (0.8 + 0.4 * Math.random()));
  }

  /** A changed volume needs no new page: after a new page some browsers wait for a touch before they sound. */
  function follow(state) {
    if (!state.paired) location.reload();
    else if (state.address !== body.dataset.assigned) location.replace(state.address);
    else {
      kiosk.volume = state.volume / 100;
      body.dataset.volume = state.volume;
      body.dataset.voices = state.voices; // clips may have been made since the page was loaded
    }
  }

  /** Called with each snapshot: ask at once when the administrator changed a screen of this facility. */
  function screensChanged(count) {
    if (changes !== null && count !== changes && body.dataset.assigned) {
      clearTimeout(timer);
      timer = setTimeout(report, SPREAD_MS * Math.random());
    }
    changes = count;
  }

  Object.assign(kiosk, { askState, screensChanged });
  if (body.dataset.assigned) report();
})(window.kiosk);
