// A screen whose scripts fail before they drew anything loads itself again, and again: its numbers are then those that
// the server wrote into the page. This file keeps to the oldest syntax, so that it runs where the others do not.

(function () {
  var AGAIN_S = 20; // as often as the page refreshes itself with scripts switched off
  var set = false;

  function refresh() {
    if (set || document.documentElement.getAttribute("data-running") === "yes") return;
    set = true;
    var meta = document.createElement("meta");
    meta.setAttribute("http-equiv", "refresh");
    meta.setAttribute("content", String(AGAIN_S));
    document.head.appendChild(meta);
  }

  // The error of a script that does not load is seen in the capturing phase alone. A picture's error is no reason.
  window.addEventListener(
    "error",
    function (event) {
      if (event.target === window || event.target.tagName === "SCRIPT") refresh();
    },
    true
  );
  window.addEventListener("load", refresh);
})();
