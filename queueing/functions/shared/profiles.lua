-- Profiles that staff and targets of deliveries read. A reading is recorded in its own step: a profile that cannot be
-- recorded is not shown. A reader: `login`, `session` (its digest), `address`, `alarm_over` (profiles in ten minutes).

local function note_reading(facility, reader, now, member, kind, ticket, why)
  local key = facility.root .. ':read:' .. reader.session
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - READ_WINDOW_MS)
  if redis.call('ZADD', key, 'NX', now, member) == 0 then return end
  redis.call('PEXPIRE', key, READ_WINDOW_MS)
  record_act(facility, kind, reader.login, reader.address, ticket, why)
end

local read_whole
do
  local function alarm_now(facility, reader)
    local read = redis.call('ZCOUNT', facility.root .. ':read:' .. reader.session, '-inf', '+inf')
    if read <= reader.alarm_over then return 0 end
    return redis.call('SET', facility.root .. ':alarm:' .. reader.session, '1', 'NX', 'PX', READ_WINDOW_MS) and 1 or 0
  end

  -- One ticket is read with all details. Returns 1 when the alarm is raised now else 0, and the sealed numbers of the
  -- hospital's system or ''.
  function read_whole(facility, reader, now, id)
    note_reading(facility, reader, now, id, 'profile_read', id, '')
    local key = day_of_ticket(facility, id)
    return alarm_now(facility, reader), key and redis.call('HGET', key, 'l' .. id) or ''
  end
end

-- Adds the sealed envelope and the sealed note of a ticket, each or ''.
local function add_sealed(facility, found, id)
  local key = day_of_ticket(facility, id)
  local sealed = key and redis.call('HMGET', key, 'b' .. id, 'k' .. id) or {}
  found[#found + 1] = sealed[1] or ''
  found[#found + 1] = sealed[2] or ''
end
