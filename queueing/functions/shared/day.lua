-- The service day. It follows the store's clock and never goes back by itself. At the facility's midnight numbers
-- begin again at 1 and called people who were not started lapse. People who arrived shortly before keep their place and
-- number; people whose visit at a counter began shortly before stay there until they are finished.
-- When the clock was set back behind the day that was reached, the facility stays on that day, and each midnight of
-- the clock begins the next one (`behind`: the clock's day when that was noticed). heal_clock.lua goes back on request.

-- The three values of the day's field `#`: last ticket, mark of the facility's rate, newest order, ms.
local function read_last(packed)
  if not packed then return 0, 0, 0 end
  local sequence, mark, newest = cmsgpack.unpack(packed)
  return sequence, mark, newest or 0
end

-- The time that counts for the order of somebody who joins a line now.
local function order_now(facility, clock)
  local _, _, newest = read_last(redis.call('HGET', day_key(facility, clock.day), '#'))
  return order_time(clock, newest)
end

local reserve_numbers, reach_day
do  -- a block: what only these use is no local of the whole library, which may have 200
  -- Arrivals later than this after now came while the clock ran ahead: they are older than the day that ends.
  local CAME_AHEAD_MS = HOUR_MS

  local function lapse(facility, id, ticket, clock)
    leave_sets(facility, id, ticket)
    ticket[T.lapsed_from] = ticket[T.state]
    ticket[T.state] = STATE.LAPSED
    ticket[T.ended] = clock.now
    record_event(facility, clock, EVENT.LAPSED, id, save_ticket(facility, id, ticket, clock.now), '')
  end

  -- A visit counts from its start: somebody at a counter of the night may have arrived in the afternoon.
  local function outlives_day(ticket, clock, kept_from)
    if ticket[T.state] == STATE.CALLED then return false end
    local since = ticket[T.state] == STATE.SERVING and ticket[T.started] or ticket[T.arrived]
    return since >= kept_from and since <= clock.now + CAME_AHEAD_MS
  end

  -- Lapses the tickets whose day is over; adds the tokens of those that live on to `tokens`.
  local function end_day_of_queue(facility, queue, clock, tokens)
    local config = config_of(facility, 'q:' .. queue) or {}
    local kept_from = last_midnight_ms(clock) - (config.carry_over_min or 0) * MINUTE_MS
    for _, key in ipairs({waiting_key(facility, queue), aside_key(facility, queue)}) do
      for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
        local ticket = load_ticket(facility, id)
        if not ticket then
          redis.call('ZREM', key, id)
        elseif outlives_day(ticket, clock, kept_from) then
          tokens[#tokens + 1] = ticket[T.token]
        else
          lapse(facility, id, ticket, clock)
        end
      end
    end
    redis.call('DEL', queue_calls_key(facility, queue))
  end

  local function empty_counters(facility)
    local state = redis.call('HGETALL', facility.record)
    for i = 1, #state, 2 do
      if string.sub(state[i], 1, 2) == 'o:' then
        local ticket = load_ticket(facility, state[i + 1])
        if not ticket or not LIVING[ticket[T.state]] then redis.call('HDEL', facility.record, state[i]) end
      end
    end
  end

  -- Reserves these numbers on the new day, because their holders may still be waiting.
  function reserve_numbers(facility, day, tokens)
    local by_prefix = {}
    for _, token in ipairs(tokens) do
      local prefix, number = string.match(token, '^(.+)%-0*(%d+)$')
      if prefix then by_prefix[prefix] = (by_prefix[prefix] or ',') .. number .. ',' end
    end
    for _, queue in ipairs(queue_ids(facility)) do
      local numbers = by_prefix[config_of(facility, 'q:' .. queue).prefix]
      if numbers then redis.call('HSET', day_key(facility, day), 'c' .. queue, numbers) end
    end
  end

  -- The day the facility should be on, and what `behind` becomes (nil: removed).
  local function day_to_reach(facility, clock, stored)
    if clock.by_time >= stored then return clock.by_time, nil end
    local behind = tonumber(redis.call('HGET', facility.record, 'behind') or clock.by_time)
    if clock.by_time > behind then return stored + 1, clock.by_time end
    return stored, behind
  end

  local function end_day(facility, clock, stored, day)
    local tokens = {}
    for _, queue in ipairs(queue_ids(facility)) do end_day_of_queue(facility, queue, clock, tokens) end
    empty_counters(facility)
    redis.call('DEL', undo_key(facility), ended_key(facility), calls_key(facility))
    local ended = day_key(facility, stored)
    redis.call('EXPIRE', ended, KEEP_DAY_S)
    reserve_numbers(facility, day, tokens)
    local _, _, newest = read_last(redis.call('HGET', ended, '#'))
    -- The first of the new day may come in the millisecond of the last of this one, and its number begins again at 1.
    if newest >= clock.now then redis.call('HSETNX', day_key(facility, day), '#', cmsgpack.pack(0, 0, newest + 1)) end
    trim_events(facility, (stored - EVENT_DAYS) * DAY_MS - clock.offset)
  end

  -- Brings the facility from the day it stored to the day it should be on. True when a new day began.
  -- O(living tickets) once a day, else O(1).
  function reach_day(facility, clock, stored)
    local day, behind = day_to_reach(facility, clock, stored)
    clock.day = day
    if day == stored then
      if behind then redis.call('HSETNX', facility.record, 'behind', behind) end
      return false
    end
    if stored > 0 then end_day(facility, clock, stored, day) end
    redis.call('HSET', facility.record, 'day', day, 'eve', stored)
    if behind then
      redis.call('HSET', facility.record, 'behind', behind)
    else
      redis.call('HDEL', facility.record, 'behind')
    end
    return true
  end
end

local function begin_day(facility, clock)
  reach_day(facility, clock, tonumber(redis.call('HGET', facility.record, 'day') or 0))
end
