// Keeps a screen awake. Browsers give a wake lock to pages over https alone. Elsewhere a silent video does it: browsers
// keep a screen on while a video plays that fills the page. Ours is one still picture, drawn here, and cannot be seen.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const FRAME_MS = 1000; // a stream without frames counts as stalled

  /** found(how): "lock", "video", or "none" when this browser has neither. */
  function stayAwake(found) {
    const say = found || (() => {});
    const lock = () => navigator.wakeLock.request("screen").then(() => say("lock"));
    if (navigator.wakeLock) {
      document.addEventListener(
        "visibilitychange",
        () => document.visibilityState === "visible" && lock().catch(() => {})
      );
      lock().catch(() => playPicture(say)); // a browser may refuse it, such as while its battery is low
    } else playPicture(say);
  }

  function playPicture(say) {
    const canvas = document.createElement("canvas");
    const video = document.createElement("video");
    if (!canvas.captureStream || !("srcObject" in video)) {
      say("none");
      return;
    }
    canvas.width = canvas.height = 16;
    const pen = canvas.getContext("2d");
    let turn = 0;
    setInterval(() => {
      turn = 1 - turn;
      pen.fillStyle = turn ? "#000000" : "#010101"; // an unchanged picture is not sent
      pen.fillRect(0, 0, 16, 16);
    }, FRAME_MS);
    pen.fillRect(0, 0, 16, 16);
    video.className = "awake";
    video.muted = true;
    video.setAttribute("playsinline", "");
    video.setAttribute("aria-hidden", "true");
    video.srcObject = canvas.captureStream();
    document.body.appendChild(video);
    video.play().then(
      () => say("video"),
      () => say("none")
    );
  }

  kiosk.stayAwake = stayAwake;
})(window.kiosk);
