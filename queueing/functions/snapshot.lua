--[[ snapshot: the whole facility at one moment, as everybody may see it; reads only.
  KEYS   1 root
  ARGV   1 clock   2 how many next numbers of each queue
  Reply  packed map in the words of models.Snapshot, false for an unknown facility
  Cost   O(queues x (shown + log n)) ]]

local EXPECTED_SHOWN = 50              -- more numbers than a screen can show
local CALLS_SHOWN_MS = 5 * MINUTE_MS   -- a board announces no call older than three minutes

local function read_all(facility, ids)
  local tickets = {}
  for _, id in ipairs(ids) do
    local ticket = load_ticket(facility, id)
    if ticket then tickets[#tickets + 1] = ticket end
  end
  return tickets
end

-- Those at a counter, newest call first; and the tokens of those who must check in, oldest first.
local function view_aside(facility, queue)
  local now, expected, tokens = {}, 0, {}
  for _, ticket in ipairs(read_all(facility, redis.call('ZRANGE', aside_key(facility, queue), 0, -1))) do
    if ticket[T.state] == STATE.EXPECTED then
      expected = expected + 1
      if expected <= EXPECTED_SHOWN then tokens[expected] = ticket[T.token] end
    elseif allowed(ticket, {STATE.CALLED, STATE.SERVING}) then
      now[#now + 1] = {token = ticket[T.token], key = match_key(ticket), counter = ticket[T.counter],
        at_ms = ticket[T.called], calls = ticket[T.calls], state = ticket[T.state]}
    end
  end
  table.sort(now, function(a, b) return a.at_ms > b.at_ms end)
  return now, expected, tokens
end

local function view_call(facility, line)
  local call = cmsgpack.unpack(line)
  local ticket = load_ticket(facility, call[CALL.id])
  return {token = call[CALL.token], key = call[CALL.key] or '', counter = call[CALL.counter], at_ms = call[CALL.at],
    calls = call[CALL.calls], state = ticket and ticket[T.state] or STATE.DONE, sequence = call[CALL.sequence] or 0,
    queue = call[CALL.queue] or ''}
end

local function called_lately(facility, queue)
  local recent = {}
  for i, line in ipairs(redis.call('LRANGE', queue_calls_key(facility, queue), 0, -1)) do
    recent[i] = view_call(facility, line)
  end
  return recent
end

-- The calls and recalls that a board may still have to announce, oldest first.
local function calls_to_announce(facility, clock)
  local calls = {}
  for _, line in ipairs(redis.call('LRANGE', calls_key(facility), 0, -1)) do
    local call = view_call(facility, line)
    if call.at_ms >= clock.now - CALLS_SHOWN_MS then table.insert(calls, 1, call) end
  end
  return calls
end

local function next_tickets(facility, queue, shown)
  local tokens, match_keys = {}, {}
  for i, ticket in ipairs(read_all(facility, redis.call('ZRANGE', waiting_key(facility, queue), 0, shown - 1))) do
    tokens[i], match_keys[i] = ticket[T.token], match_key(ticket)
  end
  return tokens, match_keys
end

-- How fast the queue moves now: what pace_of has, without the gaps of a session that is over.
local function pace_now(facility, queue, clock)
  local pace = pace_of(facility, queue)
  local last = tonumber(redis.call('HGET', facility.record, 'called:' .. queue) or 0)
  if clock.now - last > 6 * PAUSE_S * 1000 then return {pace[1], pace[2], pace[3], 0, 0, 0} end
  return pace
end

-- How fast it usually moves on this weekday (usual.lua); nil while that is not known. Day 0 was a Thursday.
local function usual_of(facility, queue, clock)
  local packed = redis.call('HGET', facility.root .. ':y', (clock.by_time + 3) % 7 .. ':' .. queue)
  if not packed then return nil end
  local usual = cmsgpack.unpack(packed)
  return {from_ms = last_midnight_ms(clock) + usual.first_s * 1000, gaps_s = usual.gaps_s, spread = usual.spread}
end

-- Names by language; an empty table would be packed as a list.
local function names_of(settings)
  return settings.names and next(settings.names) and settings.names or nil
end

local function view_queue(facility, queue, shown, clock, today)
  local config = config_of(facility, 'q:' .. queue)
  local now, expected, expected_tokens = view_aside(facility, queue)
  local tokens, match_keys = next_tickets(facility, queue, shown)
  local pace = pace_now(facility, queue, clock)
  return {id = queue, name = config.name, names = names_of(config), prefix = config.prefix,
    open = config.open, waiting = redis.call('ZCARD', waiting_key(facility, queue)), expected = expected,
    expected_tokens = expected_tokens, issued = tonumber(redis.call('HGET', today, 'n' .. queue) or 0), now = now,
    recent = called_lately(facility, queue), next = tokens, next_keys = match_keys, pace_s = pace[1],
    pace_low_s = pace[2], pace_high_s = pace[3], pace_mean_s = pace[4] or 0, pace_deviation_s = pace[5] or 0,
    pace_calls = pace[6] or 0,  -- an earlier release kept three values
    usual = usual_of(facility, queue, clock), hours = config.hours}
end

local function breaks_of(facility, names, clock)
  local breaks = {}
  for _, name in ipairs(names) do
    local back = back_at(facility, name, clock.now)
    if back then breaks[#breaks + 1] = {counter = name, back_ms = back} end
  end
  return breaks
end

-- What staff announce, until the time of each.
local function announcements_of(packed, clock)
  local list = {}
  for _, one in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if one.until_ms > clock.now then list[#list + 1] = one end
  end
  return list
end

register('snapshot', function(keys, args)
  local facility = open_facility(keys[1])
  local packed = redis.call('HGET', facility.record, 'facility')
  if not packed then return false end
  local settings = cmsgpack.unpack(packed)
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local state = redis.call('HMGET', facility.record, 'day', 'calls', 'screens', 'desks', 'announced', 'hours',
    'corrected', 'holidays')
  local day = math.max(clock.day, tonumber(state[1] or 0))
  local queues = {}
  for i, queue in ipairs(queue_ids(facility)) do
    queues[i] = view_queue(facility, queue, tonumber(args[2]), clock, day_key(facility, day))
  end
  local counters, names = {}, counter_names(facility)
  for i, name in ipairs(names) do counters[i] = config_of(facility, 'k:' .. name) end
  return cmsgpack.pack({facility = settings.hip_id, name = settings.name, day = day, at_ms = clock.now,
    queues = queues, counters = counters, calls = calls_to_announce(facility, clock),
    last_call = tonumber(state[2] or 0), screens = tonumber(state[3] or 0), desks = tonumber(state[4] or 0),
    breaks = breaks_of(facility, names, clock), announcements = announcements_of(state[5], clock),
    hours = state[6] and cmsgpack.unpack(state[6]) or nil, corrected = tonumber(state[7] or 0),
    names = names_of(settings), minute = math.floor((clock.now + clock.offset) / MINUTE_MS),
    holidays = state[8] and cmsgpack.unpack(state[8]) or nil})
end, {'no-writes'})
