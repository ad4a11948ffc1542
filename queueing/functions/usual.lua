--[[ usual: replaces what is known of how fast the queues of a facility usually move. The archive learns it.
  KEYS   1 root
  ARGV   1 seconds after which it is forgotten   then weekday (0: Monday), ':' and queue id, with packed first_s
         (seconds after midnight), gaps_s, spread, for each weekday of each queue
  Reply  1; 'FACILITY' when the facility is not registered
  Cost   O(queues x weekdays) ]]

register('usual', function(keys, args)
  local facility = open_facility(keys[1])
  if redis.call('HEXISTS', facility.record, 'hip') == 0 then return 'FACILITY' end
  local key = facility.root .. ':y'
  redis.call('DEL', key)
  for i = 2, #args, 2 do redis.call('HSET', key, args[i], args[i + 1]) end
  redis.call('EXPIRE', key, args[1])  -- nothing when there is nothing
  return 1
end, {})
