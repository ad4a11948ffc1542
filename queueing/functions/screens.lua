--[[ screens: the paired screens of one facility. Four acts.
  KEYS   1 root
  ARGV   screen_put: screen id, packed screen, most screens of a facility, act for the audit: kind ('': not recorded),
         login, address, why
         screen_remove: screen id, act for the audit
         screen_report: screen id, release, sound, seconds since the last sound ('' none), least ms between two writes
         screen_list: none
  Reply  put: 1; 0 when the facility has as many screens as it may have
         remove: 1; 0 when it was not there
         report: packed screen; false when the screen is not paired here
         list: {screen id, packed screen, packed report or '', …}; a report is {when, release, sound, last sound}, ms
  Cost   O(1); list O(screens). A report is written when it says something new, at most once in the time stated. ]]

local function screens_key(facility) return facility.root .. ':s' end
local function reports_key(facility) return facility.root .. ':v' end

-- Screens and pages read the count of changes in their snapshot, and ask anew when it moved.
local function announce_screens(facility)
  redis.call('HINCRBY', facility.record, 'screens', 1)
  announce_change(facility, 'configured', '', '', '')
end

register('screen_put', function(keys, args)
  local facility = open_facility(keys[1])
  local screens = screens_key(facility)
  local is_new = redis.call('HEXISTS', screens, args[1]) == 0
  if is_new and redis.call('HLEN', screens) >= tonumber(args[3]) then return 0 end
  redis.call('HSET', screens, args[1], args[2])
  record_given_act(facility, args, 4)
  announce_screens(facility)
  return 1
end, {})

register('screen_remove', function(keys, args)
  local facility = open_facility(keys[1])
  if redis.call('HDEL', screens_key(facility), args[1]) == 0 then return 0 end
  redis.call('HDEL', reports_key(facility), args[1])
  record_given_act(facility, args, 2)
  announce_screens(facility)
  return 1
end)

register('screen_report', function(keys, args)
  local facility = open_facility(keys[1])
  local screen = redis.call('HGET', screens_key(facility), args[1])
  if not screen then return false end
  local now = present_ms()
  local known = redis.call('HGET', reports_key(facility), args[1])
  if known then
    local report = cmsgpack.unpack(known)
    if now - report[1] < tonumber(args[5]) and now >= report[1] then return screen end
  end
  local sounded = args[4] ~= '' and now - 1000 * tonumber(args[4]) or 0
  redis.call('HSET', reports_key(facility), args[1], cmsgpack.pack({now, args[2], args[3], sounded}))
  return screen
end)

register('screen_list', function(keys)
  local facility, list = open_facility(keys[1]), {}
  local screens = redis.call('HGETALL', screens_key(facility))
  for i = 1, #screens, 2 do
    local report = redis.call('HGET', reports_key(facility), screens[i])
    list[#list + 1], list[#list + 2], list[#list + 3] = screens[i], screens[i + 1], report or ''
  end
  return list
end, {'no-writes'})
