--[[ staff_session: an open session with its login, and half an hour more when somebody uses it.
  KEYS   1 slot of the staff
  ARGV   1 session digest   2 caller's clock, unix s   3 seconds it may be idle from now on; 0 leaves its end as it is
  Reply  {session as JSON, fields of the login …}; {} when it is over, or its login was disabled or signed out
  Cost   O(1) ]]
register('staff_session', function(keys, args)
  local key = keys[1] .. ':session:' .. args[1]
  local packed = redis.call('GET', key)
  if not packed then return {} end
  local session = cjson.decode(packed)
  local row = staff_row(keys[1], session.who)
  local left_s = session.ends_s - tonumber(args[2])
  if left_s <= 0 or not row or row[7] ~= '0' or tonumber(row[8] or 0) ~= session.generation then return {} end
  local idle_s = tonumber(args[3])
  if idle_s > 0 then
    redis.call('EXPIRE', key, math.max(1, math.floor(math.min(idle_s, left_s))))
    note_session(keys[1], session.who, args[1], args[2])
  end
  return {packed, unpack(row, 1, #STAFF_FIELDS)}
end)
