--[[ staff_try: count one try to sign in, before the password is looked at. A try that must wait is counted nowhere.
  KEYS   1 slot of the staff
  ARGV   1 login digest   2 address digest   3 device digest or ''   4 window, s
         5 most tries of a known device   6 of a login from one address   7 of a login   8 of an address
         9 to 13 act for the audit of a try that must wait: facility digest, kind or '', login, address, why
  Reply  {seconds to wait}; {0, fields of the login …}; {0} when there is no such login
  Cost   O(1) ]]
register('staff_try', function(keys, args)
  local most = {device = args[5], pair = args[6], login = args[7], address = args[8]}
  local counts = staff_counts(keys[1], args[1], args[2], args[3])
  for _, count in ipairs(counts) do
    if tonumber(redis.call('HGET', count[1], count[2]) or 0) >= tonumber(most[count[3]]) then
      record_staff_act(keys[1], args, 9)
      return {math.max(1, redis.call('TTL', count[1]))}
    end
  end
  for _, count in ipairs(counts) do
    redis.call('HINCRBY', count[1], count[2], 1)
    redis.call('EXPIRE', count[1], args[4], 'NX')
  end
  local row = staff_row(keys[1], args[1])
  return row and {0, unpack(row, 1, #STAFF_FIELDS)} or {0}
end)
