-- The service day. It comes from the store's clock and never goes back: a clock that is set back stays on the day
-- that was reached. At the facility's midnight numbers begin again at 1; who arrived shortly before stays in line.

local function lapse(hall, id, ticket, clock)
  leave_sets(hall, id, ticket)
  ticket[T.state] = STATE.LAPSED
  ticket[T.ended] = clock.now
  save_ticket(hall, id, ticket, clock.now)
end

local function end_day_of_queue(hall, queue, clock, midnight)
  local config = config_of(hall, 'q:' .. queue) or {}
  local kept_from = midnight - (config.carry_over_min or 0) * MINUTE_MS
  for _, key in ipairs({waiting_key(hall, queue), aside_key(hall, queue)}) do
    for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      local ticket = load_ticket(hall, id)
      if not ticket then
        redis.call('ZREM', key, id)
      elseif ticket[T.arrived] < kept_from then
        lapse(hall, id, ticket, clock)
      end
    end
  end
  redis.call('DEL', calls_key(hall, queue))
end

local function clear_left_counters(hall)
  local state = redis.call('HGETALL', hall.facility)
  for i = 1, #state, 2 do
    if string.sub(state[i], 1, 2) == 'o:' then
      local ticket = load_ticket(hall, state[i + 1])
      if not ticket or not LIVING[ticket[T.state]] then redis.call('HDEL', hall.facility, state[i]) end
    end
  end
end

-- Brings the facility from the day it stored to today, or keeps a later day that was reached. True when a new day began.
-- O(tickets still alive) once a day, else O(1).
local function reach_day(hall, clock, stored)
  if clock.day <= stored then
    clock.day = stored
    return false
  end
  if stored > 0 then
    local midnight = midnight_ms(clock, clock.day)
    for _, queue in ipairs(queue_ids(hall)) do end_day_of_queue(hall, queue, clock, midnight) end
    clear_left_counters(hall)
    redis.call('DEL', undo_key(hall))
  end
  redis.call('HSET', hall.facility, 'day', clock.day, 'eve', stored)
  return true
end

local function begin_day(hall, clock)
  reach_day(hall, clock, tonumber(redis.call('HGET', hall.facility, 'day') or 0))
end
