// How long until somebody is called: the same sum as queueing/waiting.py, which draws the page first.

const STEP_MIN = 5; // people plan in five minutes

/** A range of minutes; null while the queue's pace is unknown. */
export function estimate(ahead, paceLowS, paceHighS) {
  if (paceHighS <= 0) return null;
  const low = Math.floor(((ahead + 1) * paceLowS) / 60);
  const high = Math.ceil(((ahead + 1) * paceHighS) / 60);
  return {
    low: Math.floor(low / STEP_MIN) * STEP_MIN,
    high: Math.max(STEP_MIN, Math.ceil(high / STEP_MIN) * STEP_MIN),
  };
}
