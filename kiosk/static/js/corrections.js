// Sentences that the hospital's administrator corrected reach open pages without loading them again, after which some
// browsers wait for a touch before they sound: the page is fetched once more, and its texts are taken from there.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const SPREAD_MS = 2000; // the screens and phones of a facility do not all ask in one moment
  const AGAIN_MS = 20000; // the server or the network is away

  const body = document.body;
  let own = Number(body.dataset.corrected); // changes that this page's texts have
  let wanted = own;
  let timer = 0;

  /** Returns what must hear of each snapshot how often the corrections changed. */
  function corrections(messages) {
    const later = (ms) => {
      if (!timer) timer = setTimeout(look, ms);
    };
    const soon = () => later(Math.random() * SPREAD_MS);

    function look() {
      fetch(location.href, { cache: "no-store", credentials: "same-origin", headers: { "X-Kiosk-Live": "1" } })
        .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(String(answer.status)))))
        .then((text) => {
          const page = new DOMParser().parseFromString(text, "text/html").body.dataset;
          own = Number(page.corrected);
          messages.take(JSON.parse(page.words));
        })
        .then(
          () => own < wanted, // corrected once more meanwhile
          () => false
        )
        .then((behind) => {
          timer = 0;
          if (behind) soon();
          else if (own !== wanted) later(AGAIN_MS);
        });
    }

    return (count) => {
      wanted = count || 0;
      if (own !== wanted) soon();
    };
  }

  kiosk.corrections = corrections;
})(window.kiosk);
