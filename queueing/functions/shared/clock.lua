-- Time. One clock for order and day: the store's own (TIME), never a worker's.
-- A caller brings its facility's offset from UTC, so that the service day can be told here: ARGV 1, five values packed
-- one after another: the caller's own clock, unix ms; offset, ms; when the offset next changes, unix ms (0: not soon);
-- the offset after that; the time zone of those offsets. A facility that keeps another zone answers OTHER_ZONE, and the
-- caller asks again with that zone: nothing was written.

-- A caller and the store that disagree by more than this do not live on the same day: somebody must look first.
local CLOCKS_APART_MS = 26 * HOUR_MS

-- What the caller told and the store's own time make: the time in the caller's zone. Once a call.
local function tell_time(args)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local callers_now, offset, change_at, offset_then, zone = cmsgpack.unpack(args[1])
  if change_at > 0 and now >= change_at then offset = offset_then end
  return {now = now, offset = offset, by_time = math.floor((now + offset) / DAY_MS), zone = zone,
    apart = math.abs(now - callers_now) > CLOCKS_APART_MS}
end

-- The clock of a facility that keeps `own_zone` (nil: any), or nil and what to answer. All of one call are told the same
-- time; the day is the facility's own, which may have reached a later one (shared/day.lua).
local function clock_in(own_zone, told)
  if told.apart then
    return nil, redis.error_reply('CLOCK the clocks of the store and of the caller are more than a day apart')
  end
  if own_zone and own_zone ~= told.zone then return nil, {OUTCOME.OTHER_ZONE, own_zone} end
  told.day = told.by_time
  return told
end

local function read_clock(facility, args)
  return clock_in(redis.call('HGET', facility.record, 'zone'), tell_time(args))
end

local function midnight_ms(clock, day)
  return day * DAY_MS - clock.offset
end
