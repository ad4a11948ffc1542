--[[ staff_welcome: the password was right: the try does not count, browser and address are known, a session opens.
  KEYS   1 slot of the staff
  ARGV   1 login digest   2 address digest   3 device digest of the try or ''
         4 device digest for a browser not yet known
         5 seconds browser and address are remembered   6 session digest   7 session as JSON   8 seconds it lives
  Reply  1 when the browser was known and keeps its mark, 0 when it gets the new one
  Cost   O(1) ]]
register('staff_welcome', function(keys, args)
  local slot, who, address = keys[1], args[1], args[2]
  local known = false
  for _, count in ipairs(staff_counts(slot, who, address, args[3])) do
    known = known or count[3] == 'device'
    if count[3] == 'device' or count[3] == 'pair' then redis.call('HDEL', count[1], count[2])
    elseif tonumber(redis.call('HGET', count[1], count[2]) or 0) > 0 then
      redis.call('HINCRBY', count[1], count[2], -1)
    end
  end
  redis.call('SET', slot .. ':device:' .. args[known and 3 or 4], who, 'EX', args[5])
  redis.call('SET', slot .. ':place:' .. who .. ':' .. address, '1', 'EX', args[5])
  redis.call('SET', slot .. ':session:' .. args[6], args[7], 'EX', args[8])
  return known and 1 or 0
end)
