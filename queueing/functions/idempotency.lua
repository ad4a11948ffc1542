--[[ idempotency: requests that carry a key of the caller, and their answers.
  KEYS   1 root
  ARGV   claim:    digest of caller and key, digest of the body, seconds until a claim without an answer ends
                   Reply {} when it is claimed now; else {digest of the first body, its answer or ''}
         keep:     digest, answer, seconds it is kept        Reply 1; 0 when there is no claim any more
         release:  digest                                    Reply 1; 0 when there is no claim
  Reply  as stated
  Cost   O(1) ]]
local function claim_key(facility, digest) return facility.root .. ':ik:' .. digest end

register('idempotency_claim', function(keys, args)
  local key = claim_key(open_facility(keys[1]), args[1])
  local found = redis.call('HMGET', key, 'b', 'a')
  if found[1] then return {found[1], found[2] or ''} end
  redis.call('HSET', key, 'b', args[2])
  redis.call('EXPIRE', key, args[3])
  return {}
end)

register('idempotency_keep', function(keys, args)
  local key = claim_key(open_facility(keys[1]), args[1])
  if redis.call('EXISTS', key) == 0 then return 0 end
  redis.call('HSET', key, 'a', args[2])
  redis.call('EXPIRE', key, args[3])
  return 1
end)

register('idempotency_release', function(keys, args)
  return redis.call('DEL', claim_key(open_facility(keys[1]), args[1]))
end)
