--[[ tickets: tickets as staff and the patient's own page see them; reads only.
  KEYS   1 root
  ARGV   1 'all' or 'these'   2 at most; then queue ids (none: every queue) or ticket ids
  Reply  {{ticket id, packed ticket, ahead}, …}: at the counters first, then waiting in calling order, then the others
  Cost   O(log n + tickets asked for) ]]

local function read_tickets(facility, ids, first_ahead)
  local found = {}
  for place, id in ipairs(ids) do
    local ticket, packed = load_ticket(facility, id)
    if ticket then found[#found + 1] = {id, packed, first_ahead and place - 1 or ahead_of(facility, id, ticket)} end
  end
  return found
end

local function of_queues(facility, queues, most)
  local found = {}
  for _, queue in ipairs(queues) do
    for _, key in ipairs({aside_key(facility, queue), waiting_key(facility, queue)}) do
      local ids = redis.call('ZRANGE', key, 0, most - #found - 1)
      if most > #found then
        for _, line in ipairs(read_tickets(facility, ids, key == waiting_key(facility, queue))) do found[#found + 1] = line end
      end
    end
  end
  return found
end

register('tickets', function(keys, args)
  local facility = open_facility(keys[1])
  local most, asked = tonumber(args[2]), {}
  for i = 3, #args do asked[#asked + 1] = args[i] end
  if args[1] == 'these' then return read_tickets(facility, asked) end
  return of_queues(facility, #asked > 0 and asked or queue_ids(facility), most)
end, {'no-writes'})
