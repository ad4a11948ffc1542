--[[ set_lane: staff change the lane of a ticket, and why; the head start counts from the arrival.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who   4 lane   5 reason, 0 for none
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register_move('set_lane', function(keys, args)
  local lane, reason = tonumber(args[4]), tonumber(args[5])
  local movable = {STATE.EXPECTED, STATE.WAITING, STATE.HELD, STATE.NO_SHOW}
  return move(keys, args, 'lane', EVENT.LANE_CHANGED, movable, function(ticket)
    ticket[T.score] = ticket[T.score] + (HEAD_START_MS[ticket[T.lane]] - HEAD_START_MS[lane]) * ORDER_MS
    ticket[T.lane], ticket[T.reason] = lane, reason
  end)
end)
