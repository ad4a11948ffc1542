--[[ counters_now: each counter with who sits there, whom it serves and its break; for staff alone; reads only.
  KEYS   1 root      ARGV none
  Reply  {{counter, {{login, name, since ms}, …}, ticket id or '', packed ticket or '', back at ms or 0}, …}
  Cost   O(counters + open desks) ]]
register('counters_now', function(keys)
  local facility, now, found, sitting = open_facility(keys[1]), present_ms(), {}, {}
  each_seat(facility, now, function(_, seat, is_gone)
    if is_gone then return end
    local here = sitting[seat[SEAT.counter]] or {}
    here[#here + 1] = {seat[SEAT.login], seat[SEAT.name], seat[SEAT.since]}
    sitting[seat[SEAT.counter]] = here
  end)
  for i, counter in ipairs(counter_names(facility)) do
    local id, _, packed = current_of(facility, counter)
    found[i] = {counter, sitting[counter] or {}, id or '', packed or '', back_at(facility, counter, now) or 0}
  end
  return found
end, {'no-writes'})
