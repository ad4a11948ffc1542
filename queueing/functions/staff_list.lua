--[[ staff_list: the logins of one facility; reads only.
  KEYS   1 slot of the staff
  ARGV   1 facility digest
  Reply  {fields of a login in the order of STAFF_FIELDS, …}
  Cost   O(logins of the facility) ]]
register('staff_list', function(keys, args)
  local rows = {}
  for _, who in ipairs(redis.call('SMEMBERS', keys[1] .. ':roll:' .. args[1])) do
    rows[#rows + 1] = staff_row(keys[1], who)
  end
  return rows
end, {'no-writes'})
