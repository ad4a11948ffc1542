--[[ profiles: the sealed envelopes of tickets for one member of staff. The reading is recorded in the same step, so a
  profile that cannot be recorded is not shown. profile_sent: the envelope of one ticket for a target of deliveries.
  KEYS   1 root
  ARGV   1 login   2 session digest   3 address   4 counter whose list is drawn, or ''   5 ticket read whole, or ''
         6 alarm: more profiles in ten minutes than this   7 … ticket ids
         profile_sent: id of the target, its host, ticket id, id of the event
  Reply  {1 when the alarm is raised now else 0, sealed numbers of the hospital's system of the ticket read whole or
         '', sealed or '', sealed note or '', … in the order of the ids}
         profile_sent: sealed or ''; each event's sending to each target is recorded; one that is tried again within
         ten minutes only once
  Cost   O(tickets named) ]]
register('profiles', function(keys, args)
  local facility = open_facility(keys[1])
  local now = present_ms()
  local reader = {login = args[1], session = args[2], address = args[3], alarm_over = tonumber(args[6])}
  if args[4] ~= '' then note_reading(facility, reader, now, 'list:' .. args[4], 'list_read', '', args[4]) end
  local found = {0, ''}
  if args[5] ~= '' then found = {read_whole(facility, reader, now, args[5])} end
  for i = 7, #args do add_sealed(facility, found, args[i]) end
  return found
end)

register('profile_sent', function(keys, args)
  local facility = open_facility(keys[1])
  local key = day_of_ticket(facility, args[3])
  local sealed = key and redis.call('HGET', key, 'b' .. args[3])
  if not sealed then return '' end
  local target = {login = args[1], session = args[1], address = args[2]}
  note_reading(facility, target, present_ms(), args[4], 'profile_sent', args[3], args[1])
  return sealed
end)
