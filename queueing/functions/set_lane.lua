--[[ set_lane: staff see why somebody should go sooner (or not); the head start counts from the arrival.
  KEYS   1 root      ARGV 1-4 clock   5 ticket id   6 who   7 lane
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register('set_lane', function(keys, args)
  local lane = tonumber(args[7])
  local movable = {STATE.EXPECTED, STATE.WAITING, STATE.HELD, STATE.NO_SHOW}
  return move(keys, args, 'lane', movable, function(ticket)
    ticket[T.score] = ticket[T.score] + (HEAD_START_MS[ticket[T.lane]] - HEAD_START_MS[lane]) * ORDER_MS
    ticket[T.lane] = lane
  end)
end)
