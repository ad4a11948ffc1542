--[[ staff_remove: a login that nobody ever signed in with. The audit records it in the same step.
  KEYS   1 slot of the staff
  ARGV   1 login digest   2 to 6 act: facility digest, kind ('': not recorded), login, address, why
  Reply  1; 0 when it was used (or made by a release that did not note it); -1 when the facility has no such login
  Cost   O(1) ]]
register('staff_remove', function(keys, args)
  local slot, who = keys[1], args[1]
  local row, roll = staff_row(slot, who), slot .. ':roll:' .. args[2]
  if not row or redis.call('SISMEMBER', roll, who) == 0 then return -1 end
  if row[15] ~= '1' then return 0 end
  redis.call('DEL', slot .. ':login:' .. who, slot .. ':tries:of:' .. who, slot .. ':open:' .. who)
  redis.call('SREM', roll, who)
  record_staff_act(slot, args, 2)
  return 1
end)
