--[[ tickets: tickets as staff and the patient's own page see them; reads only.
  KEYS   1 root
  ARGV   1 'all', 'these' or 'ended'   2 at most; then queue ids (none: every queue) or ticket ids
  Reply  {{ticket id, packed ticket, ahead}, …}: those aside of every queue first, then those who wait, in calling
         order, of each queue an equal share of the room; 'ended': done and cancelled today, newest first
  Cost   O(log n + tickets named) ]]

local function read_tickets(facility, ids, first_ahead)
  local found = {}
  for place, id in ipairs(ids) do
    local ticket, packed = load_ticket(facility, id)
    if ticket then found[#found + 1] = {id, packed, first_ahead and place - 1 or ahead_of(facility, id, ticket)} end
  end
  return found
end

local function append(found, lines)
  for _, line in ipairs(lines) do found[#found + 1] = line end
end

-- The first ids of a set. ZRANGE takes -1 as "to the end", so room for none is not asked for.
local function first_ids(key, most)
  return most > 0 and redis.call('ZRANGE', key, 0, most - 1) or {}
end

-- Those aside are read whole, because staff count them by the list. Of those who wait, only the first are read.
local function of_queues(facility, queues, most)
  local found = {}
  for _, queue in ipairs(queues) do
    append(found, read_tickets(facility, first_ids(aside_key(facility, queue), most - #found)))
  end
  for place, queue in ipairs(queues) do
    local share = math.floor((most - #found) / (#queues - place + 1))
    append(found, read_tickets(facility, first_ids(waiting_key(facility, queue), share), true))
  end
  return found
end

register('tickets', function(keys, args)
  local facility = open_facility(keys[1])
  local most, named = tonumber(args[2]), {}
  for i = 3, #args do named[#named + 1] = args[i] end
  if args[1] == 'these' then return read_tickets(facility, named) end
  if args[1] == 'ended' then
    return read_tickets(facility, redis.call('ZREVRANGE', ended_key(facility), 0, most - 1))
  end
  return of_queues(facility, #named > 0 and named or queue_ids(facility), most)
end, {'no-writes'})
