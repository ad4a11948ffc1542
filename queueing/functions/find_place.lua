--[[ find_place: tickets that have this number, with their sealed envelopes, for a patient who looks for the own page.
  find_place_right: the patient proved who it is, so the try is not counted as a wrong one.
  KEYS   1 root
  ARGV   1 token number   2 number digest   3 address digest   4 seconds that wrong tries of a number are counted
         5 most of a number   6 seconds of an address and of the facility   7 most of an address
         8 most of the facility   9 address and 10 who, for the audit
         find_place_right: number digest, address digest
  Reply  {0, 0, {ticket id, packed ticket, sealed}, …} at most TICKETS_READ; {1, s} too many wrong tries, s: seconds to
         wait. find_place_right: 1
  Cost   O(tickets living and ended today). A try counts as wrong until find_place_right takes it back, so tries that
         come together are all counted. Each reading of an envelope is recorded in the same step, once in ten minutes
         for a ticket. A number without a ticket is counted like one with a ticket. ]]

local THROUGH, TOO_MANY = 0, 1
local TICKETS_READ = 2    -- a number that was kept over midnight is not given again; two ended tickets may share one
local READ_AT_ONCE = 100  -- fields of one command: more hold the store longer, fewer cost a command each

-- {key, seconds, most} of each count.
local function tries_of(facility, args)
  local base, window = facility.root .. ':k', tonumber(args[6])
  return {
    {base .. 'n' .. args[2], tonumber(args[4]), tonumber(args[5])},
    {base .. 'a' .. args[3], window, tonumber(args[7])},
    {base, window, tonumber(args[8])},
  }
end

local function seconds_to_wait(tries)
  for _, try in ipairs(tries) do
    if tonumber(redis.call('GET', try[1]) or 0) >= try[3] then return math.max(1, redis.call('TTL', try[1])) end
  end
end

local function count_tries(tries)
  for _, try in ipairs(tries) do
    if redis.call('INCR', try[1]) == 1 then redis.call('EXPIRE', try[1], try[2]) end
  end
end

-- The text is looked for in the packed ticket first: unpacking each one takes ten times as long.
local function has_token(packed, token)
  return packed and string.find(packed, token, 1, true) and cmsgpack.unpack(packed)[T.token] == token
end

local function ids_with_token(facility, set, token, found)
  local by_day = {}
  for _, id in ipairs(redis.call('ZRANGE', set, 0, -1)) do
    local key = day_of_ticket(facility, id)
    local ids = by_day[key] or {}
    by_day[key], ids[#ids + 1] = ids, id
  end
  for key, ids in pairs(by_day) do
    for first = 1, #ids, READ_AT_ONCE do
      local fields = {}
      for i = first, math.min(#ids, first + READ_AT_ONCE - 1) do fields[#fields + 1] = 't' .. ids[i] end
      for i, packed in ipairs(redis.call('HMGET', key, unpack(fields))) do
        if has_token(packed, token) then found[#found + 1] = ids[first + i - 1] end
      end
    end
  end
end

local function tickets_with_token(facility, token)
  local found = {}
  for _, queue in ipairs(queue_ids(facility)) do
    ids_with_token(facility, waiting_key(facility, queue), token, found)
    ids_with_token(facility, aside_key(facility, queue), token, found)
  end
  ids_with_token(facility, ended_key(facility), token, found)
  return found
end

local function note_comparing(facility, id, address, by)
  local key = facility.root .. ':kr' .. id
  if redis.call('SET', key, '1', 'NX', 'PX', READ_WINDOW_MS) then
    record_act(facility, 'profile_compared', by, address, id, '')
  end
end

register('find_place', function(keys, args)
  local facility = open_facility(keys[1])
  local tries = tries_of(facility, args)
  local wait_s = seconds_to_wait(tries)
  if wait_s then return {TOO_MANY, wait_s} end
  count_tries(tries)
  local reply, ids = {THROUGH, 0}, tickets_with_token(facility, args[1])
  for i = 1, math.min(#ids, TICKETS_READ) do
    local _, packed = load_ticket(facility, ids[i])
    local sealed = redis.call('HGET', day_of_ticket(facility, ids[i]), 'b' .. ids[i])
    if sealed then note_comparing(facility, ids[i], args[9], args[10]) end
    reply[#reply + 1] = {ids[i], packed, sealed or ''}
  end
  return reply
end)

register('find_place_right', function(keys, args)
  local facility = open_facility(keys[1])
  local base = facility.root .. ':k'
  for _, key in ipairs({base .. 'n' .. args[1], base .. 'a' .. args[2], base}) do
    if tonumber(redis.call('GET', key) or 0) > 0 then redis.call('DECR', key) end
  end
  return 1
end)
