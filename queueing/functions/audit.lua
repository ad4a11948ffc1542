--[[ audit: writes and reads what staff did. Two acts on one facility.
  KEYS   1 root
  ARGV   record: kind, login, address, ticket id or '', why           Reply 1
         read:   stream id to read before ('+': the newest), at most
         Reply {{stream id, {field, value, …}}, …}, newest first
  Reply  as stated
  Cost   O(entries read) ]]
register('audit_record', function(keys, args)
  record_act(open_facility(keys[1]), unpack(args, 1, 5))
  return 1
end)

register('audit_read', function(keys, args)
  local before = args[1] == '+' and '+' or '(' .. args[1]
  return redis.call('XREVRANGE', audit_key(open_facility(keys[1])), before, '-', 'COUNT', args[2])
end, {'no-writes'})
