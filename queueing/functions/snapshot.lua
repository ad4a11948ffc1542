--[[ snapshot: the whole facility at one moment, as everybody in it may see it; reads only.
  KEYS   1 root
  ARGV   1 clock   2 how many next numbers of each queue
  Reply  packed map in the words of models.Snapshot, false for an unknown facility
  Cost   O(queues x (shown + log n)) ]]

local function token_of(facility, id)
  local ticket = load_ticket(facility, id)
  return ticket and ticket[T.token]
end

local function called_now(facility, queue)
  local now, expected = {}, 0
  for _, id in ipairs(redis.call('ZREVRANGE', aside_key(facility, queue), 0, -1)) do
    local ticket = load_ticket(facility, id)
    if ticket and ticket[T.state] == STATE.EXPECTED then expected = expected + 1 end
    if ticket and allowed(ticket, {STATE.CALLED, STATE.SERVING}) then
      now[#now + 1] = {token = ticket[T.token], counter = ticket[T.counter], at_ms = ticket[T.called],
        calls = ticket[T.calls], state = ticket[T.state]}
    end
  end
  table.sort(now, function(a, b) return a.at_ms > b.at_ms end)
  return now, expected
end

local function called_lately(facility, queue)
  local recent = {}
  for _, line in ipairs(redis.call('LRANGE', calls_key(facility, queue), 0, -1)) do
    local call = cmsgpack.unpack(line)
    local ticket = load_ticket(facility, call[1])
    recent[#recent + 1] = {token = call[2], counter = call[3], at_ms = call[4], calls = call[5],
      state = ticket and ticket[T.state] or STATE.DONE}
  end
  return recent
end

local function next_tokens(facility, queue, shown)
  local tokens = {}
  for _, id in ipairs(redis.call('ZRANGE', waiting_key(facility, queue), 0, shown - 1)) do
    tokens[#tokens + 1] = token_of(facility, id)
  end
  return tokens
end

local function view_queue(facility, queue, shown, today)
  local config = config_of(facility, 'q:' .. queue)
  local now, expected = called_now(facility, queue)
  local pace = pace_of(facility, queue)
  return {id = queue, name = config.name, prefix = config.prefix, open = config.open,
    waiting = redis.call('ZCARD', waiting_key(facility, queue)), expected = expected,
    issued = tonumber(redis.call('HGET', today, 'n' .. queue) or 0), now = now, recent = called_lately(facility, queue),
    next = next_tokens(facility, queue, shown), pace_s = pace[1], pace_low_s = pace[2], pace_high_s = pace[3]}
end

register('snapshot', function(keys, args)
  local facility = open_facility(keys[1])
  local packed = redis.call('HGET', facility.record, 'facility')
  if not packed then return false end
  local settings = cmsgpack.unpack(packed)
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local day = math.max(clock.day, tonumber(redis.call('HGET', facility.record, 'day') or 0))
  local queues = {}
  for i, queue in ipairs(queue_ids(facility)) do
    queues[i] = view_queue(facility, queue, tonumber(args[2]), day_key(facility, day))
  end
  local counters = {}
  for i, name in ipairs(counter_names(facility)) do counters[i] = config_of(facility, 'k:' .. name) end
  return cmsgpack.pack({facility = settings.hip_id, name = settings.name, day = day, at_ms = clock.now,
    queues = queues, counters = counters})
end, {'no-writes'})
