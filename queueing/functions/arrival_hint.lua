--[[ arrival_hint: tells the screens in which facilities people came; best effort.
  KEYS   1 {partition}
  ARGV   keys of the facilities, at most some hundred
  Reply  the id of the hint
  Cost   O(facilities) ]]

register('arrival_hint', function(keys, args)
  local fields = {}
  for i, name in ipairs(args) do fields[2 * i - 1], fields[2 * i] = 'f', name end
  return redis.call('XADD', streams_of(keys[1]).changes, 'MAXLEN', '~', CHANGES_KEPT, '*', unpack(fields))
end)
