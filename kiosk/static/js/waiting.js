// How long until somebody is called: the same sum as queueing/waiting.py, which draws the page first and says why.

const STEP_MIN = 5;
const CALLS_MIN = 5;
const DRIFT = 0.15;
const BELOW = 1.2;
const ABOVE = 1.5;
const SLOT_S = 1800;
const LATE_S = 5400;
const BEGINS_S = 600;
const USUAL_GAPS = 20;
const FADES_S = 3600;

/** A range of minutes; null while the queue's pace is unknown. `queue` is one of a snapshot, which is of `nowMs`. */
export function estimate(ahead, queue, nowMs) {
  const turns = ahead + 1;
  const sum = usualSum(turns, queue, nowMs) ?? todaysSum(turns, queue);
  if (!sum) return null;
  const low = Math.max(0, sum.mean - BELOW * sum.spread) / 60;
  const high = (sum.mean + ABOVE * sum.spread) / 60;
  return {
    low: Math.floor(low / STEP_MIN) * STEP_MIN,
    high: Math.max(STEP_MIN, Math.ceil(high / STEP_MIN) * STEP_MIN),
  };
}

function todaysSum(turns, { pace_mean_s: mean, pace_deviation_s: deviation, pace_calls: calls }) {
  if (!(calls >= CALLS_MIN)) return null;
  const ofMean = (turns * deviation) / Math.sqrt(calls);
  const all = turns * mean;
  return { mean: all, spread: Math.hypot(Math.sqrt(turns) * deviation, ofMean, all * DRIFT) };
}

function usualSum(turns, queue, nowMs) {
  const { usual, pace_deviation_s: deviation, pace_calls: calls } = queue;
  const at = usual ? (nowMs - usual.from_ms) / 1000 : 0;
  if (!usual || at >= usual.gaps_s.length * SLOT_S || (!calls && at > LATE_S)) return null;
  const mean = daySum(turns, usual, at, faster(queue, at));
  const begun = calls >= CALLS_MIN;
  const gap = begun ? deviation : Math.min(...usual.gaps_s.filter(Boolean));
  const spread = Math.hypot(begun ? 0 : BEGINS_S, Math.sqrt(turns) * gap, (mean * usual.spread) / 100);
  return { mean, spread };
}

function faster({ usual, pace_mean_s: mean, pace_calls: calls }, at) {
  const gap = at >= 0 ? usual.gaps_s[Math.min(Math.floor(at / SLOT_S), usual.gaps_s.length - 1)] : 0;
  return gap ? (calls + USUAL_GAPS) / ((calls * mean) / gap + USUAL_GAPS) : 1;
}

function daySum(turns, usual, begin, factor) {
  const last = usual.gaps_s.length - 1;
  for (let at = begin, left = turns; ; ) {
    const slot = Math.min(last, Math.floor(at / SLOT_S));
    const gap = slot >= 0 ? usual.gaps_s[slot] : 0;
    const end = slot === last ? Infinity : Math.max(0, slot + 1) * SLOT_S;
    const speed = gap ? (1 + (factor - 1) * Math.exp((begin - at) / FADES_S)) / gap : 0;
    if (speed && left <= speed * (end - at)) return at + left / speed - begin;
    left -= speed * (end - at);
    at = end;
  }
}
