--[[ api_keys: keys of other programs: added, revoked, used. The audit records the first two in the same step.
  KEYS   1 slot of the staff
  ARGV   add:     key id, key as JSON, at most so many keys, act: facility digest, kind, login, address, why
                  Reply 1; 0 when there are too many keys
         revoke:  key id, act       Reply 1; 0 when there is no such key
         changed: none              Reply how often a key was added or revoked, as text
         used:    key id, unix s    Reply 1; 0 when there is no such key
  Reply  as stated
  Cost   O(1) ]]
register('api_keys_add', function(keys, args)
  local slot = keys[1]
  if redis.call('HLEN', api_keys_key(slot)) >= tonumber(args[3]) then return 0 end
  redis.call('HSET', api_keys_key(slot), args[1], args[2])
  redis.call('INCR', api_keys_changed_key(slot))
  record_staff_act(slot, args, 4)
  return 1
end)

register('api_keys_revoke', function(keys, args)
  local slot = keys[1]
  if redis.call('HDEL', api_keys_key(slot), args[1]) == 0 then return 0 end
  redis.call('HDEL', api_keys_used_key(slot), args[1])
  redis.call('INCR', api_keys_changed_key(slot))
  record_staff_act(slot, args, 2)
  return 1
end)

register('api_keys_changed', function(keys)
  return redis.call('GET', api_keys_changed_key(keys[1])) or '0'
end, {'no-writes'})

-- A key that was revoked meanwhile leaves no trace of its use.
register('api_keys_used', function(keys, args)
  local slot = keys[1]
  if redis.call('HEXISTS', api_keys_key(slot), args[1]) == 0 then return 0 end
  redis.call('HSET', api_keys_used_key(slot), args[1], args[2])
  return 1
end)
