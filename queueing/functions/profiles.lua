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
local function note_reading(facility, args, now, member, kind, ticket, why)
  local key = facility.root .. ':read:' .. args[2]
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - READ_WINDOW_MS)
  if redis.call('ZADD', key, 'NX', now, member) == 0 then return end
  redis.call('PEXPIRE', key, READ_WINDOW_MS)
  record_act(facility, kind, args[1], args[3], ticket, why)
end

local function alarm_now(facility, args)
  local read = redis.call('ZCOUNT', facility.root .. ':read:' .. args[2], '-inf', '+inf')
  if read <= tonumber(args[6]) then return 0 end
  return redis.call('SET', facility.root .. ':alarm:' .. args[2], '1', 'NX', 'PX', READ_WINDOW_MS) and 1 or 0
end

register('profiles', function(keys, args)
  local facility = open_facility(keys[1])
  local now = present_ms()
  if args[4] ~= '' then note_reading(facility, args, now, 'list:' .. args[4], 'list_read', '', args[4]) end
  if args[5] ~= '' then note_reading(facility, args, now, args[5], 'profile_read', args[5], '') end
  local whole = day_of_ticket(facility, args[5])
  local found = {args[5] == '' and 0 or alarm_now(facility, args),
    whole and redis.call('HGET', whole, 'l' .. args[5]) or ''}
  for i = 7, #args do
    local key = day_of_ticket(facility, args[i])
    local sealed = key and redis.call('HMGET', key, 'b' .. args[i], 'k' .. args[i]) or {}
    found[#found + 1] = sealed[1] or ''
    found[#found + 1] = sealed[2] or ''
  end
  return found
end)

register('profile_sent', function(keys, args)
  local facility = open_facility(keys[1])
  local key = day_of_ticket(facility, args[3])
  local sealed = key and redis.call('HGET', key, 'b' .. args[3])
  if not sealed then return '' end
  local now = present_ms()
  note_reading(facility, {args[1], args[1], args[2]}, now, args[4], 'profile_sent', args[3], args[1])
  return sealed
end)
