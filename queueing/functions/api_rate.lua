--[[ api_rate: take a part of the rate of one API key, all of it or nothing.
  KEYS   1 slot of the staff
  ARGV   1 key id   2 most requests of a window   3 window, ms   4 requests to take
  Reply  {1 taken or 0 refused, requests of the window before, ms for which they still count in part,
         requests of this window, ms until it ends}
  Cost   O(1). A sliding window as the library `limits` counts it: what the window before had counts for the part of it
         that is less than one window ago. A refusal writes nothing. ]]
register('api_rate', function(keys, args)
  local key = api_rate_key(keys[1], args[1])
  local most, window, amount = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local now = present_ms()
  local row = redis.call('HMGET', key, 'began', 'count', 'before')
  -- A window that began later than now: the clock was set back.
  local began = math.min(tonumber(row[1] or now), now)
  local count, before = tonumber(row[2] or 0), tonumber(row[3] or 0)
  if now - began >= 2 * window then
    began, count, before = now, 0, 0
  elseif now - began >= window then
    began, count, before = began + window, 0, count
  end
  local left = began + window - now
  if math.floor(before * left / window) + count + amount > most then return {0, before, left, count, left} end
  count = count + amount
  redis.call('HSET', key, 'began', string.format('%.0f', began), 'count', count, 'before', before)
  redis.call('PEXPIRE', key, left + window)
  return {1, before, left, count, left}
end)
