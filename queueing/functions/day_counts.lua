--[[ day_counts: how many tickets are in which state now, by queue; reads only.
  KEYS   1 root
  ARGV   1 clock
  Reply  {{queue id, count of state 1, count of state 2, …}, …, finished or cancelled today}; false without queues
  Cost   O(queues + tickets aside): who waits and who ended is counted and not read ]]

local function count_queue(facility, queue)
  local row = {}
  for _, state in pairs(STATE) do row[state] = 0 end
  row[STATE.WAITING] = redis.call('ZCARD', waiting_key(facility, queue))
  for _, id in ipairs(redis.call('ZRANGE', aside_key(facility, queue), 0, -1)) do
    local ticket = load_ticket(facility, id)
    if ticket then row[ticket[T.state]] = row[ticket[T.state]] + 1 end
  end
  return row
end

-- After midnight and before the first move of the day the set still has yesterday's.
local function ended_today(facility, clock)
  if tonumber(redis.call('HGET', facility.record, 'day') or 0) < clock.day then return 0 end
  return redis.call('ZCARD', ended_key(facility))
end

register('day_counts', function(keys, args)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local queues = queue_ids(facility)
  if #queues == 0 then return false end
  local found = {}
  for i, queue in ipairs(queues) do found[i] = {queue, unpack(count_queue(facility, queue))} end
  found[#found + 1] = ended_today(facility, clock)
  return found
end, {'no-writes'})
