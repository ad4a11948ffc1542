--[[ cancel: the person does not want the place any more. A later scan gets a new number.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register_move('cancel', function(keys, args)
  local living = {STATE.EXPECTED, STATE.WAITING, STATE.CALLED, STATE.SERVING, STATE.HELD, STATE.NO_SHOW}
  return move(keys, args, 'cancelled', EVENT.CANCELLED, living, function(ticket, clock)
    ticket[T.state] = STATE.CANCELLED
    ticket[T.ended] = clock.now
  end)
end)
