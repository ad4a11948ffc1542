-- A ticket is one packed list. Its places in the waiting, aside and ended sets follow from it.
-- The last five may be missing: `lapsed_from` is the state before a ticket lapsed; `parked` is 1 when a reply about it
-- could not be delivered, so that its phone may not show the number; `changed` is when it changed last, ms; `reason` is
-- why a clerk let the person go sooner (queueing/reasons.py); `stops` are the queues from which it was sent on
-- (transfer.lua).

local T = {queue = 1, state = 2, lane = 3, assurance = 4, nearness = 5, token = 6, arrived = 7, score = 8, counter = 9,
  called = 10, started = 11, ended = 12, calls = 13, request = 14, shown_until = 15, revision = 16, lapsed_from = 17,
  parked = 18, changed = 19, reason = 20, stops = 21}

-- Order in a waiting line: the time of arrival less the head start of the lane. Whole numbers, because a fraction is
-- slow to write and read: 1024 to a millisecond, for arrivals within one millisecond.
local ORDER_MS = 1024

local function order_at(ms, lane)
  return (ms - HEAD_START_MS[lane]) * ORDER_MS
end

-- The time that counts for the order of a newcomer. It never goes back: when the clock was set back, each newcomer
-- counts one millisecond after the one before.
local function order_time(clock, newest)
  if clock.now >= newest then return clock.now end
  return newest + 1
end

-- The key of the day on which a ticket was given, nil for what is no ticket id.
local function day_of_ticket(facility, id)
  local day = string.match(id, '^(%d+)%-%d+$')
  return day and day_key(facility, day)
end

local function load_ticket(facility, id)
  local key = day_of_ticket(facility, id)
  local packed = key and redis.call('HGET', key, 't' .. id)
  if not packed then return nil end
  return cmsgpack.unpack(packed), packed
end

-- One sealed field of each of these tickets, '' where there is none. `kind`: 'b' the envelope, 'l' the numbers of
-- the hospital's system.
local function sealed_of_each(facility, kind, ids)
  local found = {}
  for i, id in ipairs(ids) do
    local key = day_of_ticket(facility, id)
    found[i] = key and redis.call('HGET', key, kind .. id) or ''
  end
  return found
end

-- By this screens and pages match a ticket: a token may come again the next day. It says nothing about its ticket.
local KEY_CHARS = 8

local function match_key(ticket)
  return string.sub(ticket[T.request], -KEY_CHARS)
end

local function leave_sets(facility, id, ticket)
  redis.call('ZREM', waiting_key(facility, ticket[T.queue]), id)
  redis.call('ZREM', aside_key(facility, ticket[T.queue]), id)
  if not LIVING[ticket[T.state]] then redis.call('ZREM', ended_key(facility), id) end
end

local function enter_set(facility, id, ticket, since)
  local state = ticket[T.state]
  if state == STATE.WAITING then
    redis.call('ZADD', waiting_key(facility, ticket[T.queue]), ticket[T.score], id)
  elseif LIVING[state] then
    redis.call('ZADD', aside_key(facility, ticket[T.queue]), since, id)
  else
    redis.call('ZADD', ended_key(facility), since, id)
  end
end

-- The ticket packed, changed at this time. A list has no holes.
local function pack_changed(ticket, now)
  ticket[T.lapsed_from], ticket[T.parked] = ticket[T.lapsed_from] or 0, ticket[T.parked] or 0
  ticket[T.changed] = now
  return cmsgpack.pack(ticket)
end

-- Writes the ticket and returns it packed. `since`: now.
local function save_ticket(facility, id, ticket, since)
  ticket[T.revision] = ticket[T.revision] + 1
  local packed = pack_changed(ticket, since)
  redis.call('HSET', day_of_ticket(facility, id), 't' .. id, packed)
  enter_set(facility, id, ticket, since)
  return packed
end

-- How many are called before this one; 0 when it does not wait.
local function ahead_of(facility, id, ticket)
  if ticket[T.state] ~= STATE.WAITING then return 0 end
  return redis.call('ZRANK', waiting_key(facility, ticket[T.queue]), id) or 0
end

local function ticket_reply(facility, outcome, id, ticket)
  if not ticket then return {outcome} end
  return {outcome, id, cmsgpack.pack(ticket), ahead_of(facility, id, ticket)}
end
