-- How staff move a ticket: check the state, keep the old ticket for undo, change, record. The file of each operation
-- lists the states that it accepts.

-- A clerk's moves that can be undone, the newest first: a packed list of packed moves, so that a move unpacks none of
-- those before it.
local function remember(facility, clock, by, images, counter, at_counter)
  local packed = redis.call('HGET', undo_key(facility), by)
  local moves = packed and cmsgpack.unpack(packed) or {}
  table.insert(moves, 1, cmsgpack.pack({clock.now, images, counter, at_counter}))
  while #moves > UNDO_MOVES do table.remove(moves) end
  redis.call('HSET', undo_key(facility), by, cmsgpack.pack(moves))
  redis.call('EXPIRE', undo_key(facility), 3600)
end

local function at_counter(facility, counter)
  return redis.call('HGET', facility.record, 'o:' .. counter) or ''
end

local function set_at_counter(facility, counter, id)
  if counter == '' then return end
  if id == '' then
    redis.call('HDEL', facility.record, 'o:' .. counter)
  else
    redis.call('HSET', facility.record, 'o:' .. counter, id)
  end
end

local function leave_counter(facility, id, ticket)
  local counter = ticket[T.counter]
  if counter ~= '' and at_counter(facility, counter) == id then set_at_counter(facility, counter, '') end
end

-- Applies `change(ticket)`, records the event, and returns the image for undo: id, old ticket, new revision.
local function shift(facility, clock, event, by, id, ticket, packed, change)
  leave_sets(facility, id, ticket)
  change(ticket)
  record_event(facility, clock, event, id, save_ticket(facility, id, ticket, clock.now), by)
  return {id, packed, ticket[T.revision]}
end

local function allowed(ticket, from)
  for _, state in ipairs(from) do
    if ticket[T.state] == state then return true end
  end
  return false
end

-- What a desk adds to the clock: its name (nil: the move is not numbered), the number of the move, and its counter when
-- the move waited for the network.
local function desk_of(args)
  return select(6, cmsgpack.unpack(args[1]))
end

-- A move that waited is about somebody at the clerk's own counter: a colleague may have called the person meanwhile.
local function called_elsewhere(args, ticket)
  local _, _, counter = desk_of(args)
  return (counter or '') ~= '' and ticket[T.counter] ~= counter and allowed(ticket, {STATE.CALLED, STATE.SERVING})
end

-- The common move: KEYS 1 root; ARGV 1 clock, 2 ticket id, 3 who. `from`: states it accepts;
-- `may(ticket, clock, facility)` may refuse as well.
local function move(keys, args, kind, event, from, change, may)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local id, by = args[2], args[3]
  begin_day(facility, clock)
  local ticket, packed = load_ticket(facility, id)
  if not ticket then return {OUTCOME.UNKNOWN_TICKET} end
  if called_elsewhere(args, ticket) then return ticket_reply(facility, OUTCOME.TAKEN, id, ticket) end
  if not allowed(ticket, from) or (may and not may(ticket, clock, facility)) then
    return ticket_reply(facility, OUTCOME.NOT_ALLOWED, id, ticket)
  end
  local counter = ticket[T.counter]
  local before = counter ~= '' and at_counter(facility, counter) or ''
  local image = shift(facility, clock, event, by, id, ticket, packed, function(t) change(t, clock, facility) end)
  if ticket[T.state] ~= STATE.CALLED and ticket[T.state] ~= STATE.SERVING and before == id then
    set_at_counter(facility, counter, '')
  end
  remember(facility, clock, by, {image}, counter, before)
  announce_change(facility, kind, ticket[T.token], ticket[T.counter], by)
  return ticket_reply(facility, OUTCOME.MOVED, id, ticket)
end

local function quantile(sorted, share)
  return sorted[math.max(1, math.ceil(#sorted * share))]
end

-- Seconds between two calls of the whole queue: median and quartiles of the last gaps, whenever they were; mean,
-- deviation and count of those that are of this session. A longer gap was a pause; after six times as long another
-- session begins (the next morning), about which the gaps before say little.
local PAUSE_S = 20 * 60

local function pace_of(facility, queue)
  local packed = redis.call('HGET', facility.record, 'pace:' .. queue)
  return packed and cmsgpack.unpack(packed) or {0, 0, 0, 0, 0, 0}
end

local keep_pace
do  -- a block: what only this function uses is no local of the whole library
  local function set_pace(facility, queue, pace)
    redis.call('HSET', facility.record, 'pace:' .. queue, cmsgpack.pack(pace))
  end

  local function mean_and_deviation(gaps, count)
    local sum, squares = 0, 0
    for i = 1, count do sum = sum + gaps[i] end
    local mean = sum / count
    for i = 1, count do squares = squares + (gaps[i] - mean) * (gaps[i] - mean) end
    return mean, count > 1 and math.sqrt(squares / (count - 1)) or 0
  end

  function keep_pace(facility, queue, clock)
    local field = 'called:' .. queue
    local last = tonumber(redis.call('HGET', facility.record, field) or 0)
    redis.call('HSET', facility.record, field, clock.now)
    local gap_s = (clock.now - last) / 1000
    local pace = pace_of(facility, queue)
    if gap_s > 6 * PAUSE_S then set_pace(facility, queue, {pace[1], pace[2], pace[3], 0, 0, 0}) end
    if gap_s > PAUSE_S or gap_s < 0 then return end  -- below 0: the clock was set back
    local key = pace_key(facility, queue)
    redis.call('LPUSH', key, math.max(1, math.floor(gap_s + 0.5)))
    redis.call('LTRIM', key, 0, PACE_CALLS - 1)
    local gaps = {}
    for i, gap in ipairs(redis.call('LRANGE', key, 0, -1)) do gaps[i] = tonumber(gap) end
    local count = math.min((pace[6] or 0) + 1, #gaps)
    local mean, deviation = mean_and_deviation(gaps, count)
    table.sort(gaps)
    set_pace(facility, queue, {quantile(gaps, 0.5), quantile(gaps, 0.25), quantile(gaps, 0.75), mean, deviation, count})
  end
end

-- One line of the lists of calls, packed in this order.
local CALL = {id = 1, token = 2, counter = 3, at = 4, calls = 5, key = 6, sequence = 7, queue = 8}

local function remove_calls(key, id)
  for _, line in ipairs(redis.call('LRANGE', key, 0, -1)) do
    -- Most lines are of others: to look for the id costs less than to unpack each.
    if string.find(line, id, 1, true) and cmsgpack.unpack(line)[CALL.id] == id then redis.call('LREM', key, 1, line) end
  end
end

-- Adds a call or a recall to both lists, with the facility's next call number. The queue's list shows each ticket once;
-- the facility's list keeps every call, so that a board can announce each one, in order.
local function note_call(facility, queue, clock, id, ticket)
  local sequence = redis.call('HINCRBY', facility.record, 'calls', 1)
  local line = cmsgpack.pack({id, ticket[T.token], ticket[T.counter], clock.now, ticket[T.calls], match_key(ticket),
    sequence, queue})
  remove_calls(queue_calls_key(facility, queue), id)
  for key, most in pairs({[queue_calls_key(facility, queue)] = LAST_CALLS, [calls_key(facility)] = CALLS_KEPT}) do
    redis.call('LPUSH', key, line)
    redis.call('LTRIM', key, 0, most - 1)
  end
end

-- Whether the called person did not come, for a clerk who calls the next. `answer`: 'finish', 'no_show', 'ask' or ''.
-- Returns 'finish', 'no_show' or 'ask'. Without an answer the facility's rule decides.
local function came_or_not(facility, clock, ticket, answer)
  if ticket[T.state] ~= STATE.CALLED or answer == 'finish' or answer == 'no_show' then
    return ticket[T.state] == STATE.CALLED and answer or 'finish'
  end
  local packed = redis.call('HGET', facility.record, 'policy')
  local patience_s = packed and read_settings(packed)[POLICY.no_show_after_s] or 0
  if patience_s > 0 and clock.now - ticket[T.called] >= patience_s * 1000 then return 'no_show' end
  return answer == 'ask' and 'ask' or 'finish'
end

-- Who is at the counter, with the packed ticket; nil when nobody is.
local function current_of(facility, counter)
  local id = at_counter(facility, counter)
  local ticket, packed = load_ticket(facility, id)
  if ticket and allowed(ticket, {STATE.CALLED, STATE.SERVING}) then return id, ticket, packed end
end

-- Ends the visit at the counter in the step that calls the next: as done, or as no-show when nobody came.
-- False when the clerk must first say whether the person came; then nothing is written.
local function end_current(facility, clock, counter, answer, by, images)
  local id, ticket, packed = current_of(facility, counter)
  if not id then return true end
  local verdict = came_or_not(facility, clock, ticket, answer)
  if verdict == 'ask' then return false end
  local missed = verdict == 'no_show'
  local event = missed and EVENT.NO_SHOW or EVENT.DONE
  table.insert(images, shift(facility, clock, event, by, id, ticket, packed, function(t)
    t[T.state] = missed and STATE.NO_SHOW or STATE.DONE
    if not missed then t[T.ended] = clock.now end
  end))
  set_at_counter(facility, counter, '')
  return true
end

local function call_to(facility, clock, counter, by, id, ticket, packed, images)
  local queue = ticket[T.queue]
  table.insert(images, shift(facility, clock, EVENT.CALLED, by, id, ticket, packed, function(t)
    t[T.state] = STATE.CALLED
    t[T.counter] = counter
    t[T.called] = clock.now
    t[T.started] = 0
    t[T.calls] = t[T.calls] + 1
  end))
  set_at_counter(facility, counter, id)
  end_break(facility, counter)
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
