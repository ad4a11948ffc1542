--[[ staff_sessions: the open sessions of one login, and their end. The audit records each end in the same step.
  KEYS   1 slot of the staff
  ARGV   list:       login digest, caller's clock, unix s
         Reply {session digest, session as JSON, unix s of its last use, …}, the last used first
         end:        login digest, session digest, act: facility digest, kind ('': not recorded), login, address, why
         Reply 1; 0 when it is no open session of this login
         end_others: login digest, digest of the session that stays, act       Reply 1; 0 when that session is over
  Reply  as stated
  Cost   O(open sessions of the login), at most SESSIONS_LISTED ]]
register('staff_sessions_list', function(keys, args)
  local slot, who, found = keys[1], args[1], {}
  local row = staff_row(slot, who)
  local listed = redis.call('ZREVRANGE', open_key(slot, who), 0, -1, 'WITHSCORES')
  for i = 1, #listed, 2 do
    local packed = redis.call('GET', slot .. ':session:' .. listed[i])
    local session = packed and cjson.decode(packed)
    if session and row and session.ends_s > tonumber(args[2]) and session.generation == tonumber(row[8] or 0) then
      found[#found + 1] = listed[i]
      found[#found + 1] = packed
      found[#found + 1] = tonumber(listed[i + 1])
    end
  end
  return found
end, {'no-writes'})

local function session_of(slot, who, session)
  local packed = redis.call('GET', slot .. ':session:' .. session)
  return packed and cjson.decode(packed).who == who and packed or nil
end

register('staff_sessions_end', function(keys, args)
  local slot, who, session = keys[1], args[1], args[2]
  if not session_of(slot, who, session) then return 0 end
  forget_session(slot, who, session)
  record_staff_act(slot, args, 3)
  return 1
end)

register('staff_sessions_end_others', function(keys, args)
  local slot, who, session = keys[1], args[1], args[2]
  local packed = session_of(slot, who, session)
  if not packed then return 0 end
  local generation = redis.call('HINCRBY', slot .. ':login:' .. who, 'generation', 1)
  packed = string.gsub(packed, '"generation":%d+', string.format('"generation":%d', generation), 1)
  redis.call('SET', slot .. ':session:' .. session, packed, 'KEEPTTL')
  local used_s = redis.call('ZSCORE', open_key(slot, who), session)
  redis.call('DEL', open_key(slot, who))
  if used_s then note_session(slot, who, session, used_s) end
  record_staff_act(slot, args, 3)
  return 1
end)
