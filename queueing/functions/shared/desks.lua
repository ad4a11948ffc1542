-- Who sits at which counter, and which counter has a break.
--   root:d  hash  open desks: digest of the session -> packed {counter, login, name, since ms, last seen ms}; SEATS_MAX

local SEAT_MS = 180000    -- an open desk is seen once a minute: after three minutes of silence nobody sits there
local SEATS_MAX = 500     -- more desks than a hospital has counters

local SEAT = {counter = 1, login = 2, name = 3, since = 4, seen = 5}

local function seats_key(facility) return facility.root .. ':d' end

-- Calls `visit(session, seat, is_gone)` for each desk that was seen.
local function each_seat(facility, now, visit)
  local seats = redis.call('HGETALL', seats_key(facility))
  for i = 1, #seats, 2 do
    local seat = cmsgpack.unpack(seats[i + 1])
    visit(seats[i], seat, now - seat[SEAT.seen] > SEAT_MS)
  end
end

-- When the clerk of a counter comes back, unix ms; nil without a break. A break ends by itself.
local function back_at(facility, counter, now)
  local back = tonumber(redis.call('HGET', facility.record, 'b:' .. counter) or 0)
  if back > now then return back end
end

-- Screens and desks that see this number move read anew what no ticket tells.
local function note_desks(facility, counter, by)
  redis.call('HINCRBY', facility.record, 'desks', 1)
  announce_change(facility, 'desk', '', counter, by)
end

-- A call ends the break of its counter. True when there was one.
local function end_break(facility, counter)
  if redis.call('HDEL', facility.record, 'b:' .. counter) == 0 then return false end
  redis.call('HINCRBY', facility.record, 'desks', 1)
  return true
end
