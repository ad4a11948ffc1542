// Check-in at the counter's screen: touch the number that was taken at home, type four digits, stand in the queue.

(function (kiosk) {
  const { make, replace } = kiosk;
  const LEFT_ALONE_MS = 30000; // whoever began has gone; the next person must not see what was typed
  const DONE_MS = 8000; // two short sentences are read, and the next person can begin
  const ANSWER_MS = 10000;
  const DIGITS = 4;
  const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "⌫", "0"];
  const SAID = { not_found: "find.not_found", too_many: "find.too_many", away: "find.away" };

  const $ = (id) => document.getElementById(id);

  /** messages: of the page. begun(): somebody uses it. tokens(): the numbers that wait for check-in here. */
  function checkInHere(messages, begun, tokens) {
    const body = document.body;
    const touched = navigator.maxTouchPoints > 0 || "ontouchstart" in window;
    let token = "";
    let typed = "";
    let timer = 0;

    function stay(ms) {
      clearTimeout(timer);
      timer = setTimeout(close, ms);
      begun(ms);
    }

    function close() {
      clearTimeout(timer);
      token = typed = "";
      $("check-in").hidden = true;
      $("check-in-open").focus();
    }

    function open() {
      $("check-in").hidden = false;
      choose("");
      const list = tokens().map((one) => button("token", one, () => choose(one)));
      replace($("check-in-numbers"), list);
      if (list.length) list[0].focus();
    }

    function button(name, text, act) {
      const made = make("button", name, text);
      made.type = "button";
      made.dir = "ltr";
      made.addEventListener("click", act);
      return made;
    }

    /** Show the keys for this number; for none, the numbers. */
    function choose(one) {
      token = one;
      typed = "";
      $("check-in-numbers").hidden = Boolean(one);
      $("check-in-digits").hidden = !one;
      $("check-in-token").textContent = one;
      say("");
      draw();
      stay(LEFT_ALONE_MS);
    }

    function draw() {
      $("check-in-typed").textContent = Array.from({ length: DIGITS }, (_, i) => (i < typed.length ? "●" : "○")).join(
        " "
      );
    }

    function say(key) {
      if (key) messages.put($("check-in-words"), key);
      else {
        $("check-in-words").removeAttribute("data-say");
        $("check-in-words").textContent = "";
      }
    }

    function press(key) {
      stay(LEFT_ALONE_MS);
      say("");
      typed = key === "⌫" ? typed.slice(0, -1) : (typed + key).slice(0, DIGITS);
      draw();
      if (typed.length === DIGITS) send();
    }

    function send() {
      const late = new Promise((_, fail) => setTimeout(() => fail(new Error("late")), ANSWER_MS));
      const code = (/counter-id=([A-Z0-9]+)/.exec(document.querySelector(".code.abdm").dataset.text) || [])[1] || "";
      const form = `code=${code}&number=${encodeURIComponent(token)}&digits=${typed}`;
      const headers = { "Content-Type": "application/x-www-form-urlencoded" };
      const request = fetch(body.dataset.arrived, { method: "POST", body: form, headers, credentials: "same-origin" });
      typed = "";
      Promise.race([request, late])
        .then((answer) => (answer.ok ? answer.json() : { outcome: "away" }))
        .catch(() => ({ outcome: "away" }))
        .then(tell);
    }

    function tell(answer) {
      if ($("check-in").hidden) return;
      draw();
      if (SAID[answer.outcome]) return say(SAID[answer.outcome]);
      $("check-in-digits").hidden = true;
      say(answer.outcome === "ask_desk" ? "common.ask_desk" : "counter_screen.checked_in");
      stay(DONE_MS);
    }

    replace(
      $("check-in-keys"),
      KEYS.map((key) => button("key", key, () => press(key)))
    );
    $("check-in-open").addEventListener("click", open);
    $("check-in-close").addEventListener("click", close);
    const offered = touched && body.dataset.fresh === "yes";
    $("check-in-open").hidden = !offered;
    $("home-how").hidden = offered;
  }

  kiosk.checkInHere = checkInHere;
})(window.kiosk);
