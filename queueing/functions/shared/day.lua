-- The service day. It comes from the store's clock and never goes back: a clock that is set back stays on the day
-- that was reached. At the facility's midnight numbers begin again at 1; who arrived shortly before stays in line.

local function lapse(facility, id, ticket, clock)
  leave_sets(facility, id, ticket)
  ticket[T.state] = STATE.LAPSED
  ticket[T.ended] = clock.now
  save_ticket(facility, id, ticket, clock.now)
end

local function end_day_of_queue(facility, queue, clock, midnight)
  local config = config_of(facility, 'q:' .. queue) or {}
  local kept_from = midnight - (config.carry_over_min or 0) * MINUTE_MS
  for _, key in ipairs({waiting_key(facility, queue), aside_key(facility, queue)}) do
    for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      local ticket = load_ticket(facility, id)
      if not ticket then
        redis.call('ZREM', key, id)
      elseif ticket[T.arrived] < kept_from then
        lapse(facility, id, ticket, clock)
      end
    end
  end
  redis.call('DEL', calls_key(facility, queue))
end

local function clear_left_counters(facility)
  local state = redis.call('HGETALL', facility.record)
  for i = 1, #state, 2 do
    if string.sub(state[i], 1, 2) == 'o:' then
      local ticket = load_ticket(facility, state[i + 1])
      if not ticket or not LIVING[ticket[T.state]] then redis.call('HDEL', facility.record, state[i]) end
    end
  end
end

-- Brings the facility from the day it stored to today, or keeps a later day that was reached. True when a new day began.
-- O(tickets still alive) once a day, else O(1).
local function reach_day(facility, clock, stored)
  if clock.day <= stored then
    clock.day = stored
    return false
  end
  if stored > 0 then
    local midnight = midnight_ms(clock, clock.day)
    for _, queue in ipairs(queue_ids(facility)) do end_day_of_queue(facility, queue, clock, midnight) end
    clear_left_counters(facility)
    redis.call('DEL', undo_key(facility))
  end
  redis.call('HSET', facility.record, 'day', clock.day, 'eve', stored)
  return true
end

local function begin_day(facility, clock)
  reach_day(facility, clock, tonumber(redis.call('HGET', facility.record, 'day') or 0))
end
