-- How many arrivals a facility takes at once: `rate` a second and `burst`, of its policy or of the service.

-- A bucket for each facility (GCRA): returns the new mark, or nil when the facility takes too many at once. A mark
-- later than a full bucket comes from a clock that ran ahead: the bucket begins empty.
local function admit(clock, mark, rate, burst)
  local step = 1000 / rate
  if mark > clock.now + step * burst then mark = clock.now end
  local moved = math.max(mark, clock.now) + step
  return moved - clock.now <= step * burst and moved or nil
end
