--[[ corrections: sentences of the screens that an administrator corrected. Two acts. The record's field `words` holds
     all of them, packed by name; `corrected` counts how often they changed. Pages read both with the settings.
  KEYS   1 root
  ARGV   correct: name, packed correction, most corrections, most bytes of all, act for the audit: kind ('': not
         recorded), login, address, why
         correction_end: name, act for the audit
  Reply  correct: 1; 0 when there are too many, or they are too long together
         correction_end: 1; 0 when there is none
  Cost   O(corrections) ]]

local function corrections_of(facility)
  local packed = redis.call('HGET', facility.record, 'words')
  return packed and cmsgpack.unpack(packed) or {}
end

local function corrected(facility, args, i)
  redis.call('HINCRBY', facility.record, 'corrected', 1)
  record_given_act(facility, args, i)
  announce_change(facility, 'configured', '', '', '')
  return 1
end

register('correct', function(keys, args)
  local facility = open_facility(keys[1])
  local all, count = corrections_of(facility), 0
  all[args[1]] = cmsgpack.unpack(args[2])
  for _ in pairs(all) do count = count + 1 end
  local packed = cmsgpack.pack(all)
  if count > tonumber(args[3]) or #packed > tonumber(args[4]) then return 0 end
  redis.call('HSET', facility.record, 'words', packed)
  return corrected(facility, args, 5)
end, {})

register('correction_end', function(keys, args)
  local facility = open_facility(keys[1])
  local all = corrections_of(facility)
  if not all[args[1]] then return 0 end
  all[args[1]] = nil
  if next(all) then
    redis.call('HSET', facility.record, 'words', cmsgpack.pack(all))
  else
    redis.call('HDEL', facility.record, 'words')
  end
  return corrected(facility, args, 2)
end, {})
