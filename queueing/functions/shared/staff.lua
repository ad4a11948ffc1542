-- Staff of all facilities, in one slot. Every key begins with `staff:{staff}`; what comes from outside stands in it as
-- a digest, so nobody who reads a key learns a login, an address or a session's reference.
--   :login:LOGIN           hash    one member of staff, STAFF_FIELDS; lives on
--   :roll:FACILITY         set     login digests of one facility's staff
--   :session:SESSION       string  one open session, JSON with who, generation, csrf, ends_s, chosen; ends idle or over
--   :device:DEVICE         string  the login that signed in from this browser before; ends DEVICE_DAYS after
--   :place:LOGIN:ADDRESS   string  this login signed in from this address before; ends with the device
--   :tries:KIND:WHO        hash    tries of a device (`n`), an address (`n`) or a login (`all`, and one field for each
--                                  address); ends with its window
--   :open:LOGIN            zset    sessions of a login -> last use, unix s; ends with the last of them
--   :audit:FACILITY        stream  what concerned logins and sessions of the facility (shared/audit.lua)
--   :apikeys               hash    id -> key of another program, as JSON; at most KEYS_MAX (queueing/api_keys.py)
--   :apikeys:used          hash    id -> last use of a key, unix s; goes with the key
--   :apikeys:changed       string  how often a key was added or revoked: tells a worker that what it knows is old
--   :apikeys:rate:ID       hash    requests of a key (api_rate.lua): when its window began, unix ms, its requests, and
--                                  those of the window before; ends two windows after it began

local function api_keys_key(slot) return slot .. ':apikeys' end
local function api_keys_used_key(slot) return slot .. ':apikeys:used' end
local function api_keys_changed_key(slot) return slot .. ':apikeys:changed' end
local function api_rate_key(slot, id) return slot .. ':apikeys:rate:' .. id end

local STAFF_FIELDS = {'login', 'name', 'facility', 'role', 'hash', 'must_change', 'disabled', 'generation', 'counter',
  'first_until_s', 'second_factor', 'code_step', 'recovery', 'language', 'unused'}
local SESSIONS_LISTED = 50        -- more desks than one person sits at in twelve hours; others end with all the same
local LONGEST_SESSION_S = 43200   -- as LONGEST_S of kiosk/accounts/sessions.py

local function open_key(slot, who) return slot .. ':open:' .. who end

-- Write down that a session was used, for the list of a person's own sessions.
local function note_session(slot, who, session, now_s)
  local key = open_key(slot, who)
  redis.call('ZADD', key, now_s, session)
  redis.call('ZREMRANGEBYRANK', key, 0, -SESSIONS_LISTED - 1)
  redis.call('EXPIRE', key, LONGEST_SESSION_S)
end

local function forget_session(slot, who, session)
  redis.call('DEL', slot .. ':session:' .. session)
  redis.call('ZREM', open_key(slot, who), session)
end

-- The fields of a login in their order; nil when there is no such login, or one whose making was cut off.
local function staff_row(slot, who)
  local row = redis.call('HMGET', slot .. ':login:' .. who, unpack(STAFF_FIELDS))
  return row[5] and row or nil
end

-- Which counts a try stands in: {key, field, 'device', 'pair', 'login' or 'address'}. A browser or an address that this
-- login signed in from before has a count of its own, so strangers cannot use up its tries.
local function staff_counts(slot, who, address, device)
  local login = slot .. ':tries:of:' .. who
  if device ~= '' and redis.call('GET', slot .. ':device:' .. device) == who then
    return {{slot .. ':tries:browser:' .. device, 'n', 'device'}}
  end
  local pair = {login, address, 'pair'}
  if redis.call('EXISTS', slot .. ':place:' .. who .. ':' .. address) == 1 then return {pair} end
  return {pair, {login, 'all', 'login'}, {slot .. ':tries:from:' .. address, 'n', 'address'}}
end
