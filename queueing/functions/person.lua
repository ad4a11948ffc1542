--[[ person: all that is kept of one person in a facility: to show it to them, or to erase it.
  KEYS   1 root
  ARGV   1 'find' or 'erase'
         2, 3 digests by which the person is known, '' for none
         4 token number, '' for none: every ticket of the kept days with this number; or one ticket's id
         5, 6 'erase': login and address, for the audit
  Reply  {{ticket id, packed ticket, sealed envelope or ''}, …}, newest day first
         'erase': as they were; then no envelope, no digest, no phone and no reply that carries one is left of them. The
         ticket itself stays, because a number that was given is never given again; nothing in it tells who had it.
  Cost   O(tickets of the kept days + replies that wait or are parked): for an administrator, never on a scan's path ]]

local DAYS_KEPT = 5  -- KEEP_DAY_S and the day that a carried-over ticket may have begun before

local function kept_days(facility)
  local today = tonumber(redis.call('HGET', facility.record, 'day') or 0)
  local found = {}
  for day = today, today - DAYS_KEPT, -1 do
    if redis.call('EXISTS', day_key(facility, day)) == 1 then found[#found + 1] = day_key(facility, day) end
  end
  return found
end

local function ids_of_person(key, digests, ids)
  for _, digest in ipairs(digests) do
    for id in string.gmatch(redis.call('HGET', key, 'p' .. digest) or '', '[^,]+') do ids[id] = true end
  end
end

local function ids_of_token(key, token, ids)
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 1) == 't' and cmsgpack.unpack(fields[i + 1])[T.token] == token then
      ids[string.sub(fields[i], 2)] = true
    end
  end
end

-- Digests of other spellings of the same person lead to the same tickets: whatever leads to one is erased.
local function erase_digests(facility, key, erased)
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 1) == 'p' then
      for id in string.gmatch(fields[i + 1], '[^,]+') do
        if erased[id] then
          redis.call('HDEL', key, fields[i])
          redis.call('DEL', person_number_key(facility, string.sub(fields[i], 2)))
          break
        end
      end
    end
  end
end

local function erase_replies(stream, requests, place_of_meta)
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
    for i = 1, #entry[2], 2 do
      if entry[2][i] == place_of_meta and requests[cmsgpack.unpack(entry[2][i + 1])[3]] then
        redis.call('XDEL', stream, entry[1])
      end
    end
  end
end

register('person', function(keys, args)
  local facility, days, ids, digests = open_facility(keys[1]), nil, {}, {}
  days = kept_days(facility)
  for i = 2, 3 do if args[i] ~= '' then digests[#digests + 1] = args[i] end end
  local found, requests, is_id = {}, {}, string.match(args[4], '^%d+%-%d+$')
  if is_id then ids[args[4]] = true end
  for _, key in ipairs(days) do
    ids_of_person(key, digests, ids)
    if args[4] ~= '' and not is_id then ids_of_token(key, args[4], ids) end
  end
  for id in pairs(ids) do
    local ticket, packed = load_ticket(facility, id)
    if ticket then
      found[#found + 1] = {id, packed, redis.call('HGET', day_of_ticket(facility, id), 'b' .. id) or ''}
      requests[ticket[T.request]] = true
    end
  end
  table.sort(found, function(a, b) return a[1] > b[1] end)
  if args[1] == 'erase' then
    for _, key in ipairs(days) do erase_digests(facility, key, ids) end
    for _, digest in ipairs(digests) do redis.call('DEL', person_number_key(facility, digest)) end
    for _, line in ipairs(found) do
      redis.call('HDEL', day_of_ticket(facility, line[1]), 'b' .. line[1], 'k' .. line[1], 'l' .. line[1])
      redis.call('HDEL', keys[1] .. ':p', line[1])
      record_act(facility, 'person_erased', args[5], args[6], line[1], '')
    end
    erase_replies(facility.outbox, requests, 'm')
    erase_replies(partition_of(facility.root) .. ':parked:' .. facility.name, requests, 'm')
  end
  return found
end)
