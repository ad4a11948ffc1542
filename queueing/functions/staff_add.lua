--[[ staff_add: a new login, on the roll of its facility.
  KEYS   1 slot of the staff
  ARGV   1 login digest   2 facility digest   3 … field and value of each field
  Reply  1; 0 when the login exists
  Cost   O(1) ]]
register('staff_add', function(keys, args)
  local slot, who = keys[1], args[1]
  if staff_row(slot, who) then return 0 end
  redis.call('HSET', slot .. ':login:' .. who, unpack(args, 3))
  redis.call('SADD', slot .. ':roll:' .. args[2], who)
  return 1
end, {})
