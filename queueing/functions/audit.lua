--[[ audit: writes and reads what staff did. Two acts on one facility, two on the staff of one facility.
  KEYS   1 root; of staff_record and staff_read the slot of the staff
  ARGV   record:       kind, login, address, ticket id or '', why                  Reply 1
         staff_record: facility digest, kind, login, address, why                  Reply 1
         read:         stream id to read before ('+': the newest), at most
         staff_read:   facility digest, stream id to read before, at most
         Reply of both {{stream id, {field, value, …}}, …}, newest first
  Reply  as stated
  Cost   O(entries read) ]]
local function read_acts(key, before, most)
  return redis.call('XREVRANGE', key, before == '+' and '+' or '(' .. before, '-', 'COUNT', most)
end

register('audit_record', function(keys, args)
  record_act(open_facility(keys[1]), unpack(args, 1, 5))
  return 1
end)

register('audit_read', function(keys, args)
  return read_acts(audit_key(open_facility(keys[1])), args[1], args[2])
end, {'no-writes'})

register('audit_staff_record', function(keys, args)
  record_staff_act(keys[1], args, 1)
  return 1
end)

register('audit_staff_read', function(keys, args)
  return read_acts(staff_audit_key(keys[1], args[1]), args[2], args[3])
end, {'no-writes'})
