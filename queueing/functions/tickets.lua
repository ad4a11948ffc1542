--[[ tickets: tickets as staff and the patient's own page see them; reads only.
  KEYS   1 root
  ARGV   1 'all', 'these' or 'ended'   2 at most; then queue ids (none: every queue) or ticket ids
         tickets_of_requests: digests of requests
  Reply  {{ticket id, packed ticket, ahead}, …}: those aside of every queue first, then those who wait, in calling
         order, of each queue an equal share of the room; 'ended': done and cancelled today, newest first
         tickets_of_requests: the same of the tickets that these requests were answered with, {} where there is none
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

-- The record of a request stands in the day on which it came, and as long as that day is kept.
local function ticket_of_request(facility, day, request)
  for back = 0, KEEP_DAY_S / (24 * 3600) do
    local record = redis.call('HGET', day_key(facility, day - back), 'r' .. request)
    if record then return string.sub(record, 11) end
  end
  return ''
end

register('tickets_of_requests', function(keys, args)
  local facility, found = open_facility(keys[1]), {}
  local day = tonumber(redis.call('HGET', facility.record, 'day') or 0)
  for i, request in ipairs(args) do
    local id = ticket_of_request(facility, day, request)
    found[i] = id ~= '' and read_tickets(facility, {id})[1] or {}
  end
  return found
end, {'no-writes'})
