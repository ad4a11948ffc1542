-- Time. The store's own clock (TIME) decides order and day, never a worker's clock.
-- ARGV 1 of a call holds five packed values: the caller's clock, unix ms; its offset from UTC, ms; when the offset next
-- changes, unix ms (0: not within two days); the offset after that, ms; the time zone of these offsets. When the
-- facility keeps another time zone, nothing is written and the reply is OTHER_ZONE; the caller calls again with it.

-- The clocks of caller and store may differ by this much. With more they are on different days.
local CLOCKS_APART_MS = 26 * HOUR_MS
-- Longer no facility is closed over a weekend with a holiday.
local CLOSED_DAYS = 3

-- The time of the store's clock, unix ms.
local function present_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The time of this call in the caller's zone. Read once a call, so that all its arrivals have the same time. A scan
-- passes here, so the clock is read in place.
local function read_time(args)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local callers_now, offset, change_at, offset_then, zone = cmsgpack.unpack(args[1])
  if change_at > 0 and now >= change_at then offset = offset_then end
  return {now = now, offset = offset, by_time = math.floor((now + offset) / DAY_MS), zone = zone,
    callers_day = math.floor((callers_now + offset) / DAY_MS), apart = math.abs(now - callers_now) > CLOCKS_APART_MS}
end

local function may_follow(day, stored)
  return day >= stored and day <= stored + CLOSED_DAYS
end

-- The clocks are on different days. The facility goes on when the day that it stands on proves the caller wrong: the
-- store's day is that day or may follow it, and the caller's is none. Nothing is decided by the caller's clock then.
-- Otherwise a midnight that never was could end the waiting line: an operator acts.
local function store_is_right(clock, stored)
  stored = tonumber(stored or 0)
  return stored > 0 and may_follow(clock.by_time, stored) and not may_follow(clock.callers_day, stored)
end

-- The clock for a facility with this time zone (nil: any zone) that stands on the day `stored`, or nil and the reply.
-- `day` is set to the day by the clock; shared/day.lua replaces it by the facility's own service day.
local function clock_in(own_zone, stored, clock)
  if clock.apart and not store_is_right(clock, stored) then
    return nil, redis.error_reply('CLOCK the clocks of the store and of the caller are more than a day apart')
  end
  if own_zone and own_zone ~= clock.zone then return nil, {OUTCOME.OTHER_ZONE, own_zone} end
  clock.day = clock.by_time
  return clock
end

local function read_clock(facility, args)
  local known = redis.call('HMGET', facility.record, 'zone', 'day')
  return clock_in(known[1], known[2], read_time(args))
end

-- The last midnight of the facility by the clock, unix ms.
local function last_midnight_ms(clock)
  return clock.by_time * DAY_MS - clock.offset
end
