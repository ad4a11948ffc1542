--[[ push: the phones of a ticket that want a message with their page closed. What tells where a phone is, is sealed.
     root:p  hash  ticket -> packed phones {id, until ms, sealed, near, key id, language, calls, warned}, PER_TICKET at
             most; three days after the last of them came
  KEYS   1 root
  ARGV   push_put: ticket id, most tickets, phone id, until ms, sealed, near, key id, language, calls, warned (1 or 0)
         push_forget: ticket id, phone ids; with none of them: every phone of the ticket
         push_mark: ticket id, phone id, calls, warned: what this phone was told
         push_all: none
  Reply  put: 'DONE'; 'TICKET' when there is no such ticket, 'FULL' when the facility has so many
         forget, mark: 1; 0 when there was nothing
         all: ticket id, packed phones, …
  Cost   O(phones of the ticket); put in a full facility and push_all O(tickets with phones), no more than the most ]]
local PER_TICKET = 4  -- a family's phones; the one that came first goes

local function phones_of(key, id)
  local packed = redis.call('HGET', key, id)
  return packed and cmsgpack.unpack(packed) or {}
end

local function without(phones, id)
  local left = {}
  for _, phone in ipairs(phones) do if phone[1] ~= id then left[#left + 1] = phone end end
  return left
end

local function store_phones(key, id, phones)
  if #phones == 0 then return redis.call('HDEL', key, id) end
  redis.call('HSET', key, id, cmsgpack.pack(phones))
  return 1
end

-- Tickets whose pages have ended by now make room.
local function forget_ended(key, now)
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local lasts = false
    for _, phone in ipairs(cmsgpack.unpack(fields[i + 1])) do lasts = lasts or phone[2] > now end
    if not lasts then redis.call('HDEL', key, fields[i]) end
  end
end

register('push_put', function(keys, args)
  local facility, id = open_facility(keys[1]), args[1]
  local key, most = keys[1] .. ':p', tonumber(args[2])
  if not load_ticket(facility, id) then return 'TICKET' end
  if redis.call('HEXISTS', key, id) == 0 and redis.call('HLEN', key) >= most then
    local time = redis.call('TIME')
    forget_ended(key, tonumber(time[1]) * 1000)
    if redis.call('HLEN', key) >= most then return 'FULL' end
  end
  local phones = without(phones_of(key, id), args[3])
  if #phones >= PER_TICKET then table.remove(phones, 1) end
  phones[#phones + 1] = {
    args[3], tonumber(args[4]), args[5], tonumber(args[6]), args[7], args[8], tonumber(args[9]), tonumber(args[10]),
  }
  store_phones(key, id, phones)
  redis.call('EXPIRE', key, KEEP_DAY_S)
  return 'DONE'
end, {})

register('push_forget', function(keys, args)
  local key, id = keys[1] .. ':p', args[1]
  if #args == 1 then return redis.call('HDEL', key, id) end
  local phones = phones_of(key, id)
  local left = phones
  for i = 2, #args do left = without(left, args[i]) end
  if #left == #phones then return 0 end
  store_phones(key, id, left)
  return 1
end)

register('push_mark', function(keys, args)
  local key, id = keys[1] .. ':p', args[1]
  local phones, found = phones_of(key, id), 0
  for _, phone in ipairs(phones) do
    if phone[1] == args[2] then phone[7], phone[8], found = tonumber(args[3]), tonumber(args[4]), 1 end
  end
  if found == 1 then store_phones(key, id, phones) end
  return found
end)

register('push_all', function(keys)
  return redis.call('HGETALL', keys[1] .. ':p')
end, {'no-writes'})
