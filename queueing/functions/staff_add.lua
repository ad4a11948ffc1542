--[[ staff_add: a new login, on the roll of its facility. The audit records it in the same step.
  KEYS   1 slot of the staff
  ARGV   1 login digest   2 to 6 act: facility digest, kind ('': not recorded), login, address, why
         7 … field and value of each field
  Reply  1; 0 when the login exists
  Cost   O(1) ]]
register('staff_add', function(keys, args)
  local slot, who = keys[1], args[1]
  if staff_row(slot, who) then return 0 end
  redis.call('HSET', slot .. ':login:' .. who, unpack(args, 7))
  redis.call('SADD', slot .. ':roll:' .. args[2], who)
  record_staff_act(slot, args, 2)
  return 1
end, {})
