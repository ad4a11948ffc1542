--[[ announcements: what staff say to everybody in the hall, and the hours of boards. Three acts.
  KEYS   1 root
  ARGV   announce: packed announcement, most at one time, act for the audit: kind ('': not recorded), login, address,
         why
         announcement_end: id, act for the audit
         board_hours: packed hours, act for the audit
  Reply  announce: 1; 0 when as many stand as may stand
         announcement_end: 1; 0 when it does not stand
         board_hours: 1
  Cost   O(announcements); those whose time has passed go with the next one ]]

local function standing(facility)
  local packed, list = redis.call('HGET', facility.record, 'announced'), {}
  local now = present_ms()
  for _, one in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if one.until_ms > now then list[#list + 1] = one end
  end
  return list
end

local function write(facility, list, args, i)
  redis.call('HSET', facility.record, 'announced', cmsgpack.pack(list))
  record_given_act(facility, args, i)
  announce_change(facility, 'configured', '', '', '')
  return 1
end

register('announce', function(keys, args)
  local facility = open_facility(keys[1])
  local list = standing(facility)
  if #list >= tonumber(args[2]) then return 0 end
  list[#list + 1] = cmsgpack.unpack(args[1])
  return write(facility, list, args, 3)
end, {})

register('announcement_end', function(keys, args)
  local facility = open_facility(keys[1])
  local list = standing(facility)
  for i, one in ipairs(list) do
    if one.id == args[1] then
      table.remove(list, i)
      return write(facility, list, args, 2)
    end
  end
  return 0
end, {})

register('board_hours', function(keys, args)
  local facility = open_facility(keys[1])
  redis.call('HSET', facility.record, 'hours', args[1])
  record_given_act(facility, args, 2)
  announce_change(facility, 'configured', '', '', '')
  return 1
end, {})
