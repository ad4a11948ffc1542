--[[ day_tickets: the tickets of the present day in the order of their numbers, a page at a time; reads only.
  KEYS   1 root
  ARGV   1 clock   2 number of the ticket to read after, 0: from the first   3 at most so many numbers
  Reply  {day, last number of the day, {{ticket id, packed ticket, ahead}, …}}. The first page begins with tickets of
         the day before that still live
  Cost   O(numbers read); the first page also O(living tickets) ]]

local function add_carried(facility, day, found)
  local own = string.format('%d-', day)
  for _, queue in ipairs(queue_ids(facility)) do
    for _, key in ipairs({waiting_key(facility, queue), aside_key(facility, queue)}) do
      for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
        if string.sub(id, 1, #own) ~= own then
          local ticket, packed = load_ticket(facility, id)
          if ticket then found[#found + 1] = {id, packed, ahead_of(facility, id, ticket)} end
        end
      end
    end
  end
end

register('day_tickets', function(keys, args)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local after, most, found = tonumber(args[2]), tonumber(args[3]), {}
  local reached = tonumber(redis.call('HGET', facility.record, 'day') or 0)
  local day = math.max(reached, clock.day)
  if after == 0 and reached == day then add_carried(facility, day, found) end
  local last = read_last(redis.call('HGET', day_key(facility, day), '#'))
  for number = after + 1, math.min(last, after + most) do
    local id = string.format('%d-%d', day, number)
    local ticket, packed = load_ticket(facility, id)
    if ticket then found[#found + 1] = {id, packed, ahead_of(facility, id, ticket)} end
  end
  return {day, last, found}
end, {'no-writes'})
