--[[ heal_clock: an operator states that the clock is right now, after it ran ahead. The facility goes back to the day
     of the clock, people keep their numbers and order, and people who lapsed by the wrong clock wait again, except
     where their number was given to somebody else since.
  KEYS   1 root      ARGV 1 clock   2 who
  Reply  1 when something was healed, 0 when nothing was wrong here
  Cost   O(tickets of the day) when something was wrong, else O(1) ]]

local AHEAD_MS = MINUTE_MS   -- clocks of servers differ by less

-- Tickets of this day that lapsed at a time in the future get their state back; those that were at a counter wait.
-- `held`: tokens that living people have.
local function restore_lapsed(facility, clock, by, held)
  local fields = redis.call('HGETALL', day_key(facility, clock.by_time))
  for i = 1, #fields, 2 do
    local id = string.match(fields[i], '^t(.+)$')
    local ticket = id and cmsgpack.unpack(fields[i + 1])
    local lapsed = ticket and ticket[T.state] == STATE.LAPSED and ticket[T.ended] > clock.now + AHEAD_MS
    if lapsed and not held[ticket[T.token]] then
      leave_sets(facility, id, ticket)
      local before = ticket[T.lapsed_from] or STATE.WAITING
      ticket[T.state] = (before == STATE.CALLED or before == STATE.SERVING) and STATE.WAITING or before
      ticket[T.ended], ticket[T.lapsed_from] = 0, 0
      record_event(facility, clock, EVENT.UNDONE, id, save_ticket(facility, id, ticket, clock.now), by)
    end
  end
end

local function held_tokens(facility)
  local held = {}
  for _, queue in ipairs(queue_ids(facility)) do
    for _, key in ipairs({waiting_key(facility, queue), aside_key(facility, queue)}) do
      for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
        local ticket = load_ticket(facility, id)
        if ticket then held[ticket[T.token]] = true end
      end
    end
  end
  return held
end

-- Gives people of a line who came while the clock ran ahead the present time, and keeps their order.
local function heal_line(facility, clock, queue, newest, tokens)
  for _, key in ipairs({waiting_key(facility, queue), aside_key(facility, queue)}) do
    for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      local ticket = load_ticket(facility, id)
      if ticket then
        tokens[#tokens + 1] = ticket[T.token]
        if ticket[T.arrived] > clock.now + AHEAD_MS or ticket[T.score] > (clock.now + AHEAD_MS) * ORDER_MS then
          newest = newest + 1
          leave_sets(facility, id, ticket)
          ticket[T.arrived] = math.min(ticket[T.arrived], clock.now)
          ticket[T.called] = math.min(ticket[T.called], clock.now)
          ticket[T.score] = newest * ORDER_MS
          save_ticket(facility, id, ticket, clock.now)
        end
      end
    end
  end
  return newest
end

register('heal_clock', function(keys, args)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local stored = tonumber(redis.call('HGET', facility.record, 'day') or 0)
  local reached = day_key(facility, stored)
  local _, _, newest = read_last(redis.call('HGET', reached, '#'))
  if stored <= clock.by_time and newest <= clock.now + AHEAD_MS then return 0 end
  local today, tokens = day_key(facility, clock.by_time), {}
  if stored > clock.by_time then
    restore_lapsed(facility, clock, args[2], held_tokens(facility))
    redis.call('PERSIST', today)
    redis.call('EXPIRE', reached, KEEP_DAY_S)
    redis.call('DEL', undo_key(facility))
    redis.call('HSET', facility.record, 'day', clock.by_time, 'eve', stored)
    redis.call('HDEL', facility.record, 'behind')
  end
  local order = clock.now
  for _, queue in ipairs(queue_ids(facility)) do order = heal_line(facility, clock, queue, order, tokens) end
  reserve_numbers(facility, clock.by_time, tokens)
  local sequence = read_last(redis.call('HGET', today, '#'))
  redis.call('HSET', today, '#', cmsgpack.pack(sequence, 0, order))
  announce_change(facility, 'healed', '', '', args[2])
  return 1
end)
