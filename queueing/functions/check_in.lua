--[[ check_in: a person who took the number from elsewhere has arrived; the place counts from now.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register_move('check_in', function(keys, args)
  return move(keys, args, 'checked-in', EVENT.CHECKED_IN, {STATE.EXPECTED}, function(ticket, clock, facility)
    ticket[T.state] = STATE.WAITING
    ticket[T.score] = order_at(order_now(facility, clock), ticket[T.lane])
  end)
end)
