--[[ sit: a desk is open at a counter, or left. Called again once a minute while the desk is open.
  KEYS   1 root
  ARGV   1 digest of the session   2 counter, '' leaves   3 login   4 name as colleagues see it
  Reply  1 when this changes who sits where, else 0
  Cost   O(open desks) ]]
local function forget_the_gone(facility, now)
  each_seat(facility, now, function(session, _, is_gone)
    if is_gone then redis.call('HDEL', seats_key(facility), session) end
  end)
end

register('sit', function(keys, args)
  local facility, now = open_facility(keys[1]), present_ms()
  local session, counter, login, name = unpack(args)
  forget_the_gone(facility, now)
  local packed = redis.call('HGET', seats_key(facility), session)
  local seat = packed and cmsgpack.unpack(packed)
  if counter == '' then
    if not seat then return 0 end
    redis.call('HDEL', seats_key(facility), session)
    note_desks(facility, seat[SEAT.counter], login)
    return 1
  end
  if not config_of(facility, 'k:' .. counter) then return 0 end
  if not seat and redis.call('HLEN', seats_key(facility)) >= SEATS_MAX then return 0 end
  local stays = seat and seat[SEAT.counter] == counter
  local since = stays and seat[SEAT.since] or now
  redis.call('HSET', seats_key(facility), session, cmsgpack.pack({counter, login, name, since, now}))
  redis.call('PEXPIRE', seats_key(facility), SEAT_MS)
  if stays then return 0 end
  note_desks(facility, counter, login)
  return 1
end, {})
