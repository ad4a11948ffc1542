// How long until somebody is called: the same sum as queueing/waiting.py, which draws the page first and says why.

const STEP_MIN = 5;
const CALLS_MIN = 5;
const DRIFT = 0.15;
const BELOW = 1.2;
const ABOVE = 1.5;

/** A range of minutes; null while the queue's pace is unknown. `queue` is one of a snapshot. */
export function estimate(ahead, queue) {
  const { pace_mean_s: mean, pace_deviation_s: deviation, pace_calls: calls } = queue;
  if (!(calls >= CALLS_MIN)) return null;
  const turns = ahead + 1;
  const ofSum = turns * deviation * deviation;
  const ofMean = (turns * turns * deviation * deviation) / calls;
  const drift = turns * mean * DRIFT;
  const spread = Math.sqrt(ofSum + ofMean + drift * drift);
  const low = Math.max(0, turns * mean - BELOW * spread) / 60;
  const high = (turns * mean + ABOVE * spread) / 60;
  return {
    low: Math.floor(low / STEP_MIN) * STEP_MIN,
    high: Math.max(STEP_MIN, Math.ceil(high / STEP_MIN) * STEP_MIN),
  };
}
