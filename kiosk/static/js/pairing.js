// The page of a new television: it shows its letters until they are typed, then it becomes the screen it was made.

(function (kiosk) {
  const ASK_MS = 4000; // the administrator looks up from the keyboard and sees the screen change

  const body = document.body;
  const messages = new kiosk.Messages(JSON.parse(body.dataset.words), body.dataset.languages.split(","), "latin");
  const endsAt = Date.now() + Number(body.dataset.left) * 1000;

  function ask() {
    kiosk.askState({}).then(go).then(later, later);
  }

  function later() {
    setTimeout(ask, ASK_MS * (0.8 + 0.4 * Math.random()));
  }

  /** New letters come with a new page, and only from a server that answers: an error page would stay for ever. */
  function go(state) {
    if (state.paired) location.replace(state.address);
    else if (Date.now() > endsAt) location.reload();
  }

  kiosk.stayAwake();
  kiosk.bringLetters();
  kiosk.takeTurns(messages, () => messages.everywhere());
  later();
  document.documentElement.dataset.running = "yes";
})(window.kiosk);
