--[[ pairing: an unpaired screen shows a code, and an administrator who sees it types it. All keys are in one slot.
  KEYS   1 slot of the pairings
  ARGV   pairing_show: screen id, code to show, seconds for which a code is valid, address digest, most codes of an
         address, most codes at once
         pairing_take: code, HIP id, window of the tries (s), then of each count: digest, most wrong tries
  Reply  show: {code, seconds left}: the code this browser shows already, or the new one; {'', 0} when this code is
         shown elsewhere; {'', s} when too many codes are shown: seconds to wait
         take: {0, screen id}: the screen belongs to this facility from now on; {0, ''} when no screen shows this code;
         {s, ''} when too many wrong codes were typed: seconds to wait
  Cost   O(log n) of the codes at once. The slot's keys:
           :codes          zset    codes that are shown -> when they end, s; at most as many as may be shown at once
           :code:CODE      string  id of the screen that shows it; ends with the code
           :shows:SCREEN   string  the code that this browser shows; ends with it
           :from:ADDRESS   string  codes shown from this address; ends with the window
           :tries:WHO      string  wrong codes typed by a login or from an address; ends with the window
           :screen:SCREEN  string  HIP id of the facility that the screen belongs to; lives on until it is removed ]]

local function now_s()
  return tonumber(redis.call('TIME')[1])
end

local function shown_already(slot, screen)
  local code = redis.call('GET', slot .. ':shows:' .. screen)
  if code then return {code, math.max(1, redis.call('TTL', slot .. ':shows:' .. screen))} end
end

register('pairing_show', function(keys, args)
  local slot, screen, code, life_s = keys[1], args[1], args[2], tonumber(args[3])
  local shown = shown_already(slot, screen)
  if shown then return shown end
  local codes, from = slot .. ':codes', slot .. ':from:' .. args[4]
  redis.call('ZREMRANGEBYSCORE', codes, '-inf', now_s())
  if tonumber(redis.call('GET', from) or 0) >= tonumber(args[5]) then
    return {'', math.max(1, redis.call('TTL', from))}
  end
  if redis.call('ZCARD', codes) >= tonumber(args[6]) then return {'', life_s} end
  if redis.call('EXISTS', slot .. ':code:' .. code) == 1 then return {'', 0} end
  redis.call('ZADD', codes, now_s() + life_s, code)
  redis.call('SET', slot .. ':code:' .. code, screen, 'EX', life_s)
  redis.call('SET', slot .. ':shows:' .. screen, code, 'EX', life_s)
  if redis.call('INCR', from) == 1 then redis.call('EXPIRE', from, life_s) end
  return {code, life_s}
end, {})

register('pairing_take', function(keys, args)
  local slot, code, hip, window_s = keys[1], args[1], args[2], args[3]
  for i = 4, #args, 2 do
    local tries = slot .. ':tries:' .. args[i]
    if tonumber(redis.call('GET', tries) or 0) >= tonumber(args[i + 1]) then
      return {math.max(1, redis.call('TTL', tries)), ''}
    end
  end
  local screen = redis.call('GET', slot .. ':code:' .. code)
  if not screen then
    for i = 4, #args, 2 do
      local tries = slot .. ':tries:' .. args[i]
      if redis.call('INCR', tries) == 1 then redis.call('EXPIRE', tries, window_s) end
    end
    return {0, ''}
  end
  redis.call('SET', slot .. ':screen:' .. screen, hip)
  redis.call('DEL', slot .. ':code:' .. code, slot .. ':shows:' .. screen)
  redis.call('ZREM', slot .. ':codes', code)
  return {0, screen}
end, {})
