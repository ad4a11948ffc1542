--[[ hospital: everything an administrator set of one facility, in one reading.
  KEYS   1 root
  ARGV   none
  Reply  {{packed facility, packed policy, default queue or '', packed networks or '', packed corrections of
         sentences or '', their changes or ''}, {packed queue, …}, {packed counter, …}, packed holidays or ''};
         {} when unknown
  Cost   O(queues and counters) ]]
register('hospital', function(keys, args)
  local facility = open_facility(keys[1])
  local head = redis.call('HMGET', facility.record, 'facility', 'policy', 'default', 'networks', 'words',
    'corrected')
  if not head[1] then return {} end
  local function listed(names, prefix)
    local found = {}
    for _, name in ipairs(names) do found[#found + 1] = redis.call('HGET', facility.record, prefix .. name) or nil end
    return found
  end
  for i = 1, 6 do head[i] = head[i] or '' end
  return {head, listed(queue_ids(facility), 'q:'), listed(counter_names(facility), 'k:'),
    redis.call('HGET', facility.record, 'holidays') or ''}
end, {'no-writes'})
