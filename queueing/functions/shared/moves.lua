-- One way to move a ticket: check, remember how it was, change, tell. Each operation's file says what may move whither.

local function remember(facility, clock, by, images, counter, at_counter)
  local packed = redis.call('HGET', undo_key(facility), by)
  local moves = packed and cmsgpack.unpack(packed) or {}
  table.insert(moves, 1, {clock.now, images, counter, at_counter})
  while #moves > UNDO_MOVES do table.remove(moves) end
  redis.call('HSET', undo_key(facility), by, cmsgpack.pack(moves))
  redis.call('EXPIRE', undo_key(facility), 3600)
end

local function at_counter(facility, counter)
  return redis.call('HGET', facility.record, 'o:' .. counter) or ''
end

local function set_at_counter(facility, counter, id)
  if counter == '' then return end
  if id == '' then redis.call('HDEL', facility.record, 'o:' .. counter)
  else redis.call('HSET', facility.record, 'o:' .. counter, id) end
end

local function leave_counter(facility, id, ticket)
  local counter = ticket[T.counter]
  if counter ~= '' and at_counter(facility, counter) == id then set_at_counter(facility, counter, '') end
end

-- Applies `change(ticket)` to one ticket and returns its image for undo.
local function shift(facility, clock, id, ticket, packed, change)
  leave_sets(facility, id, ticket)
  change(ticket)
  save_ticket(facility, id, ticket, clock.now)
  return {id, packed, ticket[T.revision]}
end

local function allowed(ticket, from)
  for _, state in ipairs(from) do
    if ticket[T.state] == state then return true end
  end
  return false
end

-- The common move: KEYS 1 root; ARGV 1 clock, 2 ticket id, 3 who. `from`: states it may leave.
local function move(keys, args, kind, from, change)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local id, by = args[2], args[3]
  begin_day(facility, clock)
  local ticket, packed = load_ticket(facility, id)
  if not ticket then return {OUTCOME.UNKNOWN_TICKET} end
  if not allowed(ticket, from) then return ticket_reply(facility, OUTCOME.NOT_ALLOWED, id, ticket) end
  local counter = ticket[T.counter]
  local before = counter ~= '' and at_counter(facility, counter) or ''
  local stays = ticket[T.state]
  local image = shift(facility, clock, id, ticket, packed, function(t) change(t, clock, facility) end)
  if ticket[T.state] ~= STATE.CALLED and ticket[T.state] ~= STATE.SERVING and before == id then
    set_at_counter(facility, counter, '')
  end
  remember(facility, clock, by, {image}, counter, before)
  tell(facility, kind, ticket[T.token], ticket[T.counter], by)
  return ticket_reply(facility, OUTCOME.MOVED, id, ticket)
end

local function quantile(sorted, share)
  return sorted[math.max(1, math.ceil(#sorted * share))]
end

-- Seconds between two calls of the whole queue: quartiles of the last calls. A gap longer than this was a pause.
local PAUSE_S = 20 * 60

local function keep_pace(facility, queue, clock)
  local field = 'called:' .. queue
  local last = tonumber(redis.call('HGET', facility.record, field) or 0)
  redis.call('HSET', facility.record, field, clock.now)
  local gap_s = (clock.now - last) / 1000
  if gap_s > PAUSE_S then return end
  local key = pace_key(facility, queue)
  redis.call('LPUSH', key, math.max(1, math.floor(gap_s + 0.5)))
  redis.call('LTRIM', key, 0, PACE_CALLS - 1)
  local gaps = {}
  for i, gap in ipairs(redis.call('LRANGE', key, 0, -1)) do gaps[i] = tonumber(gap) end
  table.sort(gaps)
  redis.call('HSET', facility.record, 'pace:' .. queue,
    cmsgpack.pack({quantile(gaps, 0.5), quantile(gaps, 0.25), quantile(gaps, 0.75)}))
end

local function pace_of(facility, queue)
  local packed = redis.call('HGET', facility.record, 'pace:' .. queue)
  return packed and cmsgpack.unpack(packed) or {0, 0, 0}
end

-- Boards keep the last calls visible; a recall moves its line to the front with a higher count.
local function note_call(facility, queue, clock, id, ticket)
  local key = calls_key(facility, queue)
  for _, line in ipairs(redis.call('LRANGE', key, 0, -1)) do
    if cmsgpack.unpack(line)[1] == id then redis.call('LREM', key, 1, line) end
  end
  redis.call('LPUSH', key, cmsgpack.pack({id, ticket[T.token], ticket[T.counter], clock.now, ticket[T.calls]}))
  redis.call('LTRIM', key, 0, LAST_CALLS - 1)
end

-- The person at the counter is finished in the step that calls the next: that is the clerk's one key.
local function finish_current(facility, clock, counter, images)
  local id = at_counter(facility, counter)
  local ticket, packed = load_ticket(facility, id)
  if not ticket or not allowed(ticket, {STATE.CALLED, STATE.SERVING}) then return end
  table.insert(images, shift(facility, clock, id, ticket, packed, function(t)
    t[T.state] = STATE.DONE
    t[T.ended] = clock.now
  end))
  set_at_counter(facility, counter, '')
end

local function call_to(facility, clock, counter, id, ticket, packed, images)
  local queue = ticket[T.queue]
  table.insert(images, shift(facility, clock, id, ticket, packed, function(t)
    t[T.state] = STATE.CALLED
    t[T.counter] = counter
    t[T.called] = clock.now
    t[T.started] = 0
    t[T.calls] = t[T.calls] + 1
  end))
  set_at_counter(facility, counter, id)
  keep_pace(facility, queue, clock)
  note_call(facility, queue, clock, id, ticket)
end

-- Where somebody who missed a call comes in again: after the next two, not at the end.
local function near_the_front(facility, queue, old_score)
  local following = redis.call('ZRANGE', waiting_key(facility, queue), 1, 2, 'WITHSCORES')
  local second, third = tonumber(following[2]), tonumber(following[4])
  if not second then return old_score end
  return math.max(old_score, third and (second + third) / 2 or second + 1)
end
