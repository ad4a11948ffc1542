// The hours of a board: silent between two times, dark between two others. And its picture moves a little each hour.

window.kiosk = window.kiosk || {};

(function (kiosk) {
  const HOUR_MS = 3600000;
  const STEPS = [0, 3, -3, 2, -2, 4, -4, 1]; // pixels; the empty edge of a board is wider
  const page = document.documentElement;
  const body = document.body;
  const lookByDay = page.dataset.look;

  kiosk.quiet = false;

  function within(time, from, to) {
    if (!from || !to) return false;
    return from <= to ? from <= time && time < to : from <= time || time < to;
  }

  /** hours: of the facility, as the snapshot has them. sign: shows until when the board is silent. */
  function followHours(hours, now, zone, sign) {
    const time = kiosk.hour(now, zone);
    kiosk.quiet = within(time, hours.quiet_from, hours.quiet_to);
    body.dataset.quiet = kiosk.quiet ? "yes" : "no";
    sign.hidden = !kiosk.quiet;
    const text = `${hours.quiet_from}–${hours.quiet_to}`;
    if (kiosk.quiet && sign.lastChild.textContent !== text) sign.lastChild.textContent = text;
    const night = within(time, hours.night_from, hours.night_to);
    body.dataset.night = night ? "yes" : "no";
    page.dataset.look = night ? "night" : lookByDay;
    const step = hours.moves ? Math.floor(now / HOUR_MS) % STEPS.length : 0;
    body.style.setProperty("--move-x", `${STEPS[step]}px`);
    body.style.setProperty("--move-y", `${STEPS[(step * 3) % STEPS.length]}px`);
  }

  kiosk.followHours = followHours;
})(window.kiosk);
