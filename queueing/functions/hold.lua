--[[ hold: the person stepped out. The ticket is not called until it is brought back, to its old place.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register_move('hold', function(keys, args)
  return move(keys, args, 'held', EVENT.HELD, {STATE.WAITING, STATE.CALLED, STATE.SERVING}, function(ticket)
    ticket[T.state] = STATE.HELD
  end)
end)
