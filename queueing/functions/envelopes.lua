--[[ envelopes: the sealed envelopes of these tickets; reads only, and cannot read what it reads.
  KEYS   1 root
  ARGV   ticket ids
  Reply  {sealed or '', …} in the order asked
  Cost   O(tickets asked for) ]]
register('envelopes', function(keys, args)
  local facility = open_facility(keys[1])
  local found = {}
  for i, id in ipairs(args) do
    local key = day_of_ticket(facility, id)
    found[i] = key and redis.call('HGET', key, 'b' .. id) or ''
  end
  return found
end, {'no-writes'})
