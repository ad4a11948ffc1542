--[[ event_log: the events of one facility after a cursor, oldest first; reads only.
  KEYS   1 root
  ARGV   1 stream id to read after ('0': from the oldest)   2 at most so many events
  Reply  {cursor, {{stream id, field, value, …}, …}}: go on after the cursor, also when no event was found. Entries of
         the short form (shared/events.lua) come whole, with the fields of other facilities
  Cost   O(events of the partition read); at most SCANNED ]]

local SCANNED = 2000     -- entries of the partition looked at in one call: some milliseconds
local AT_ONCE = 200

local function names(fields, facility)
  if fields[1] == 'f' then return fields[2] == facility end
  for i = 1, #fields, 2 do
    if fields[i] == facility then return true end
  end
  return false
end

register('event_log', function(keys, args)
  local facility = open_facility(keys[1])
  local cursor, most, found, scanned = args[1], tonumber(args[2]), {}, 0
  while #found < most and scanned < SCANNED do
    local entries = redis.call('XRANGE', facility.events, '(' .. cursor, '+', 'COUNT', AT_ONCE)
    for _, entry in ipairs(entries) do
      cursor = entry[1]
      if names(entry[2], facility.name) then
        found[#found + 1] = {cursor, unpack(entry[2])}
        if #found == most then break end
      end
    end
    scanned = scanned + #entries
    if #entries < AT_ONCE then break end
  end
  return {cursor, found}
end, {'no-writes'})
