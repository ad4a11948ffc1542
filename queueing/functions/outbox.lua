--[[ outbox: what happens to pending replies that a relay has claimed. Six small acts on one partition.
  KEYS   1 {partition}; delivered: several, which is one call for a batch where the store has no slots
  ARGV   delivered: for each partition, packed: stream ids, and facility and text of each event in turn
                                                     the pending replies are deleted, with their envelopes
         park:   stream id, reason, sealed envelope  stored where an administrator sees it; its ticket is marked
         parked: facility key, at most            Reply {{id, envelope, meta, reason, parked ms}, …}, newest first
         resend: facility key, parked id, act     pending again; its thirty seconds begin now. The act is recorded with
                                                  it: kind ('': not recorded), login, address, why
         tidy:   after how long, ms                forgets relays that did not ask for so long and hold nothing
                                                   Reply names of those that hold something
         orphan: idle ms, names of relays          their claims count as idle for so long
  Reply  how many pending replies it touched, or as stated
  Cost   O(pending replies named); parked reads at most PARKED_KEPT ]]

local GROUP = 'relay'
local PARKED_KEPT = 10000        -- a bad morning of a whole state; the oldest goes first
local PARKED_S = 2 * 24 * 3600
local ORPHANS_AT_ONCE = 1000     -- more than a relay has in hand; the rest is found when its time has passed

local function parked_key(partition, facility) return partition .. ':parked:' .. facility end

-- The ticket that a reply is about: facility, ticket id, ticket; nil for a refusal, or when its day has ended.
local function ticket_of_reply(partition, meta)
  local facility = open_facility(partition .. ':' .. meta[2])
  for _, day in ipairs(redis.call('HMGET', facility.record, 'day', 'eve')) do
    local record = day and redis.call('HGET', day_key(facility, tonumber(day)), 'r' .. meta[3])
    local id = record and string.sub(record, 11) or ''
    local ticket = id ~= '' and load_ticket(facility, id)
    if ticket then return facility, id, ticket end
  end
end

-- Marks the ticket of a parked reply (1), or takes the mark away (0). Returns facility, id and the packed ticket.
local function mark_parked(partition, meta, parked)
  local facility, id, ticket = ticket_of_reply(partition, meta)
  if not id then return nil end
  ticket[T.lapsed_from], ticket[T.parked] = ticket[T.lapsed_from] or 0, parked
  local packed = cmsgpack.pack(ticket)
  redis.call('HSET', day_of_ticket(facility, id), 't' .. id, packed)
  return facility, id, packed
end

local function forget(outbox, ids)
  if #ids == 0 then return 0 end
  redis.call('XACK', outbox, GROUP, unpack(ids))
  return redis.call('XDEL', outbox, unpack(ids))
end

register('outbox_delivered', function(keys, args)
  local count = 0
  for i, partition in ipairs(keys) do
    local ids, events = cmsgpack.unpack(args[i])
    local forgotten = forget(partition .. ':owed', ids)
    count = count + forgotten
    -- One entry for all of the partition. None when this is a repetition: they were forgotten before.
    if forgotten > 0 and events[1] then
      redis.pcall('XADD', partition .. ':events', 'MAXLEN', '~', EVENTS_KEPT, '*', unpack(events))
    end
  end
  return count
end)

register('outbox_park', function(keys, args)
  local outbox, id = keys[1] .. ':owed', args[1]
  local entry = redis.call('XRANGE', outbox, id, id)[1]
  if not entry then return 0 end
  local meta, now = entry[2][4], present_ms()
  local key = parked_key(keys[1], cmsgpack.unpack(meta)[2])
  redis.call('XADD', key, 'MAXLEN', '~', PARKED_KEPT, '*', 'l', args[3], 'm', meta, 'why', args[2], 'at', now)
  redis.call('EXPIRE', key, PARKED_S)
  local facility, ticket_id, packed = mark_parked(keys[1], cmsgpack.unpack(meta), 1)
  if facility then record_event(facility, {now = now}, EVENT.ACKNOWLEDGEMENT_PARKED, ticket_id, packed, '') end
  return forget(outbox, {id})
end)

register('outbox_parked', function(keys, args)
  local found = {}
  for i, entry in ipairs(redis.call('XREVRANGE', parked_key(keys[1], args[1]), '+', '-', 'COUNT', args[2])) do
    local body = entry[2]
    found[i] = {entry[1], body[2], body[4], body[6], body[8]}
  end
  return found
end, {'no-writes'})

register('outbox_resend', function(keys, args)
  local key, id = parked_key(keys[1], args[1]), args[2]
  local entry = redis.call('XRANGE', key, id, id)[1]
  if not entry then return 0 end
  local meta = cmsgpack.unpack(entry[2][4])
  meta[8] = present_ms()
  redis.call('XADD', keys[1] .. ':owed', '*', 'l', entry[2][2], 'm', cmsgpack.pack(meta))
  mark_parked(keys[1], meta, 0)
  redis.call('XDEL', key, id)
  record_given_act(open_facility(keys[1] .. ':' .. args[1]), args, 3)
  return 1
end)

-- The group knows every relay that ever ran by its name, and each start brings a new name. A relay that holds a claim
-- must stay, or its pending reply would be lost. Check and deletion are one step here.
register('outbox_tidy', function(keys, args)
  local outbox, holding = keys[1] .. ':owed', {}
  for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', outbox, GROUP)) do
    local relay = {}
    for i = 1, #fields, 2 do relay[fields[i]] = fields[i + 1] end
    if relay.pending > 0 then
      holding[#holding + 1] = relay.name
    elseif relay.idle > tonumber(args[1]) then
      redis.call('XGROUP', 'DELCONSUMER', outbox, GROUP, relay.name)
    end
  end
  return holding
end)

register('outbox_orphan', function(keys, args)
  local outbox, touched = keys[1] .. ':owed', 0
  for i = 2, #args do
    for _, claim in ipairs(redis.call('XPENDING', outbox, GROUP, '-', '+', ORPHANS_AT_ONCE, args[i])) do
      redis.call('XCLAIM', outbox, GROUP, args[i], 0, claim[1], 'IDLE', args[1], 'JUSTID')
      touched = touched + 1
    end
  end
  return touched
end)
