-- The last change of each kind of setting: field `was:KIND` of the facility's record, packed {mark, when ms, login, the
-- arguments of configure that set what was set before}. It can be taken back (configure.lua).
local function remember_change(facility, before, login)
  local time = redis.call('TIME')
  local at = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local mark = time[1] .. '.' .. time[2]
  redis.call('HSET', facility.record, 'was:' .. before[1], cmsgpack.pack({mark, at, login, before}))
end
