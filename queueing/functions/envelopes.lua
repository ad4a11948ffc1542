--[[ envelopes: the sealed envelopes of these tickets; reads only. The store cannot open them.
  KEYS   1 root
  ARGV   ticket ids
  Reply  {sealed or '', …} in the order of the ids
  Cost   O(tickets named) ]]
register('envelopes', function(keys, args)
  local facility = open_facility(keys[1])
  local found = {}
  for i, id in ipairs(args) do
    local key = day_of_ticket(facility, id)
    found[i] = key and redis.call('HGET', key, 'b' .. id) or ''
  end
  return found
end, {'no-writes'})
