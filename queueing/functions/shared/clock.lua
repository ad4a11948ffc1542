-- Time. The store's own clock (TIME) decides order and day, never a worker's clock.
-- ARGV 1 of a call holds five packed values: the caller's clock, unix ms; its offset from UTC, ms; when the offset next
-- changes, unix ms (0: not within two days); the offset after that, ms; the time zone of these offsets. When the
-- facility keeps another time zone, nothing is written and the reply is OTHER_ZONE; the caller calls again with it.

-- The clocks of caller and store may differ by this much. With more they may be on different days: an operator acts.
local CLOCKS_APART_MS = 26 * HOUR_MS

-- The time of this call in the caller's zone. Read once a call, so that all its arrivals have the same time.
local function read_time(args)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local callers_now, offset, change_at, offset_then, zone = cmsgpack.unpack(args[1])
  if change_at > 0 and now >= change_at then offset = offset_then end
  return {now = now, offset = offset, by_time = math.floor((now + offset) / DAY_MS), zone = zone,
    apart = math.abs(now - callers_now) > CLOCKS_APART_MS}
end

-- The clock for a facility with this time zone (nil: any zone), or nil and the reply. `day` is set to the day by the
-- clock; shared/day.lua replaces it by the facility's own service day.
local function clock_in(own_zone, clock)
  if clock.apart then
    return nil, redis.error_reply('CLOCK the clocks of the store and of the caller are more than a day apart')
  end
  if own_zone and own_zone ~= clock.zone then return nil, {OUTCOME.OTHER_ZONE, own_zone} end
  clock.day = clock.by_time
  return clock
end

local function read_clock(facility, args)
  return clock_in(redis.call('HGET', facility.record, 'zone'), read_time(args))
end

-- The last midnight of the facility by the clock, unix ms.
local function last_midnight_ms(clock)
  return clock.by_time * DAY_MS - clock.offset
end
