--[[ envelopes: the sealed envelopes of these tickets; reads only. The store cannot open them.
  KEYS   1 root
  ARGV   ticket ids
  Reply  {sealed or '', …} in the order of the ids
  Cost   O(tickets named) ]]
register('envelopes', function(keys, args)
  return sealed_of_each(open_facility(keys[1]), 'b', args)
end, {'no-writes'})
