--[[ links: the hospital system's own numbers of tickets, sealed; and the one number of each person. Three acts.
  KEYS   1 root
  ARGV   links_put: ticket id, sealed numbers, mark of the patient's number (12 bytes), the number sealed, seconds
           to keep it, act: kind, login, address; then the person's digests
         links_forget: ticket id, act: kind, login, address; then the person's digests
         links: ticket ids
  Reply  put: {'DONE'}, {'TICKET'} when there is no such ticket, {'OTHER', first number sealed} when the person has
           another number
         forget: 1; 0 when there was nothing
         links: sealed numbers or '', in the order of the ids
  Cost   O(digests); links O(tickets named) ]]
local MARK_BYTES = 12

-- What other programs know of the ticket has changed. Its place and its moves have not.
local function note_change(facility, id, ticket)
  local now = present_ms()
  redis.call('HSET', day_of_ticket(facility, id), 't' .. id, pack_changed(ticket, now))
end

local function others_number(facility, mark, args, first)
  for i = first, #args do
    local known = redis.call('GET', person_number_key(facility, args[i]))
    if known and string.sub(known, 1, MARK_BYTES) ~= mark then return string.sub(known, MARK_BYTES + 1) end
  end
end

register('links_put', function(keys, args)
  local facility = open_facility(keys[1])
  local id, sealed, mark, number = args[1], args[2], args[3], args[4]
  local ticket = load_ticket(facility, id)
  if not ticket then return {'TICKET'} end
  local other = others_number(facility, mark, args, 9)
  if other then return {'OTHER', other} end
  redis.call('HSET', day_of_ticket(facility, id), 'l' .. id, sealed)
  note_change(facility, id, ticket)
  for i = 9, #args do
    redis.call('SET', person_number_key(facility, args[i]), mark .. number, 'EX', args[5])
  end
  record_act(facility, args[6], args[7], args[8], id, '')
  announce_change(facility, 'linked', ticket[T.token], '', args[7])
  return {'DONE'}
end, {})

register('links_forget', function(keys, args)
  local facility = open_facility(keys[1])
  local id, removed = args[1], 0
  local key = day_of_ticket(facility, id)
  if key then removed = redis.call('HDEL', key, 'l' .. id) end
  for i = 5, #args do removed = removed + redis.call('DEL', person_number_key(facility, args[i])) end
  if removed == 0 then return 0 end
  local ticket = load_ticket(facility, id)
  if ticket then note_change(facility, id, ticket) end
  announce_change(facility, 'linked', '', '', args[3])
  record_act(facility, args[2], args[3], args[4], id, '')
  return 1
end)

register('links', function(keys, args)
  return sealed_of_each(open_facility(keys[1]), 'l', args)
end, {'no-writes'})
