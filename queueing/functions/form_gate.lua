--[[ form_gate: let one form of a patient without an app through, or say why not. Called before enqueue.
  KEYS   1 root
  ARGV   1 request digest   2 link digest   3 address digest   4 device digest   5 window, s   6 most forms of a link
         7 of an address   8 of a device   9 forms a second of the facility   10 forms at once
  Reply  {0, 0} through; {1, s} the facility takes too many at once; {2, s} this link or address does; {3, s} this
         device does; s: seconds to wait
  Cost   O(1). Forms have a bucket of their own, so none of them uses up the facility's. A form that is sent again
         passes and is not counted; a form that is refused is counted nowhere. ]]

local PASS, FACILITY, PACE, DEVICE = 0, 1, 2, 3

local function seconds_left(key)
  return math.max(1, redis.call('TTL', key))
end

-- The mark of the facility's bucket after this form, and milliseconds to wait when it is full. A mark later than a full
-- bucket comes from a clock that ran ahead: the bucket begins empty.
local function next_mark(key, rate, burst)
  local now, step = present_ms(), 1000 / rate
  local mark = tonumber(redis.call('GET', key) or 0)
  if mark > now + step * burst then mark = now end
  local moved = math.max(mark, now) + step
  return moved, moved - now - step * burst
end

register('form_gate', function(keys, args)
  local base = keys[1] .. ':g'
  local request, window = base .. 'r' .. args[1], tonumber(args[5])
  if redis.call('EXISTS', request) == 1 then return {PASS, 0} end
  local counts = {
    {base .. 'd' .. args[4], tonumber(args[8]), DEVICE},
    {base .. 'l' .. args[2], tonumber(args[6]), PACE},
    {base .. 'a' .. args[3], tonumber(args[7]), PACE},
  }
  for _, count in ipairs(counts) do
    if tonumber(redis.call('GET', count[1]) or 0) >= count[2] then return {count[3], seconds_left(count[1])} end
  end
  local rate, burst = tonumber(args[9]), tonumber(args[10])
  local mark, wait_ms = next_mark(base, rate, burst)
  if wait_ms > 0 then return {FACILITY, math.ceil(wait_ms / 1000)} end
  redis.call('SET', base, string.format('%.0f', mark), 'EX', math.ceil(burst / rate) + 1)
  redis.call('SET', request, '1', 'EX', window)
  for _, count in ipairs(counts) do
    if redis.call('INCR', count[1]) == 1 then redis.call('EXPIRE', count[1], window) end
  end
  return {PASS, 0}
end)
