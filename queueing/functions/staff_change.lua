--[[ staff_change: other values for a login; with `ended` every open session of it ends and its tries are forgotten. The
  audit records it in the same step.
  KEYS   1 slot of the staff
  ARGV   1 login digest   2 ended, '1' or '0'   3 to 7 act: facility digest, kind or '', login, address, why
         8 … field and value of each field
  Reply  the login's generation; -1 when there is no such login
  Cost   O(1) ]]
register('staff_change', function(keys, args)
  local slot, who = keys[1], args[1]
  local row = staff_row(slot, who)
  if not row then return -1 end
  local key = slot .. ':login:' .. who
  if #args > 7 then redis.call('HSET', key, unpack(args, 8)) end
  record_staff_act(slot, args, 3)
  if args[2] == '0' then return tonumber(row[8] or 0) end
  redis.call('DEL', slot .. ':tries:of:' .. who, slot .. ':open:' .. who)
  return redis.call('HINCRBY', key, 'generation', 1)
end)
