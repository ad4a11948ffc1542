--[[ staff_open_session: a person proved to be who they are. Their tries do not count, browser and address are known, a
  session opens and the one before ends. The audit records it in the same step.
  KEYS   1 slot of the staff
  ARGV   1 login digest   2 address digest   3 device digest of the try or ''
         4 device digest for a browser not yet known
         5 seconds browser and address are remembered   6 session digest   7 session as JSON   8 seconds it lives
         9 caller's clock, unix s   10 tries that do not count: 1, or 2 with a second factor
         11 digest of the session that ends, or ''
         12 second factor: '' none, 'step' or 'recovery'   13 its time step, or the digest of the recovery code
         14 to 18 act: facility digest, kind ('': not recorded), login, address, why
  Reply  1 when the browser was known and keeps its mark, 0 when it gets the new one; -1 when the code was used before
  Cost   O(1) ]]
local function take_code(slot, who, kind, value)
  local key = slot .. ':login:' .. who
  if kind == 'step' then
    if tonumber(value) <= tonumber(redis.call('HGET', key, 'code_step') or 0) then return false end
    redis.call('HSET', key, 'code_step', value)
    return true
  end
  local codes, used = {}, false
  for code in string.gmatch(redis.call('HGET', key, 'recovery') or '', '%S+') do
    if code == value then used = true else codes[#codes + 1] = code end
  end
  if used then redis.call('HSET', key, 'recovery', table.concat(codes, ' ')) end
  return used
end

register('staff_open_session', function(keys, args)
  local slot, who, address, tries = keys[1], args[1], args[2], tonumber(args[10])
  if args[12] ~= '' and not take_code(slot, who, args[12], args[13]) then return -1 end
  local known = false
  for _, count in ipairs(staff_counts(slot, who, address, args[3])) do
    known = known or count[3] == 'device'
    if count[3] == 'device' or count[3] == 'pair' then redis.call('HDEL', count[1], count[2])
    elseif tonumber(redis.call('HGET', count[1], count[2]) or 0) >= tries then
      redis.call('HINCRBY', count[1], count[2], -tries)
    end
  end
  redis.call('SET', slot .. ':device:' .. args[known and 3 or 4], who, 'EX', args[5])
  redis.call('SET', slot .. ':place:' .. who .. ':' .. address, '1', 'EX', args[5])
  redis.call('HDEL', slot .. ':login:' .. who, 'unused')
  redis.call('SET', slot .. ':session:' .. args[6], args[7], 'EX', args[8])
  note_session(slot, who, args[6], args[9])
  if args[11] ~= '' then forget_session(slot, who, args[11]) end
  record_staff_act(slot, args, 14)
  return known and 1 or 0
end)
