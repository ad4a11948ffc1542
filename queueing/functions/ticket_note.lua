--[[ ticket_note: a note of staff on a ticket, sealed. It is read with the profile (profiles.lua) and goes with the
     ticket.
  KEYS   1 root
  ARGV   1 ticket id   2 sealed note, '' removes it   3 to 5 act for the audit: kind, login, address
  Reply  1; 0 when there is no such ticket
  Cost   O(1) ]]
register('ticket_note', function(keys, args)
  local facility, id = open_facility(keys[1]), args[1]
  local ticket = load_ticket(facility, id)
  if not ticket then return 0 end
  if args[2] == '' then
    redis.call('HDEL', day_of_ticket(facility, id), 'k' .. id)
  else
    redis.call('HSET', day_of_ticket(facility, id), 'k' .. id, args[2])
  end
  record_act(facility, args[3], args[4], args[5], id, '')
  note_desks(facility, ticket[T.counter], args[4])
  return 1
end, {})
