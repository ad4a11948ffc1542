--[[ counter_break: the clerk of a counter goes and says when the counter is served again. It ends at that time, by the
     next call at the counter, or by this function.
  KEYS   1 root
  ARGV   1 counter   2 back at, unix ms; 0 ends the break   3 to 6 act for the audit: kind, login, address, why
  Reply  1; 0 when there is no such counter, or no break to end; nothing is recorded then
  Cost   O(1) ]]
register('counter_break', function(keys, args)
  local facility = open_facility(keys[1])
  local counter, back = args[1], tonumber(args[2])
  if not config_of(facility, 'k:' .. counter) then return 0 end
  if back == 0 then
    if not back_at(facility, counter, present_ms()) then return 0 end
    redis.call('HDEL', facility.record, 'b:' .. counter)
  else
    redis.call('HSET', facility.record, 'b:' .. counter, string.format('%d', back))
  end
  record_given_act(facility, args, 3)
  note_desks(facility, counter, args[4])
  return 1
end)
