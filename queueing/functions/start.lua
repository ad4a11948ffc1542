--[[ start: the called person is here and being served.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register_move('start', function(keys, args)
  return move(keys, args, 'serving', EVENT.SERVING, {STATE.CALLED}, function(ticket, clock)
    ticket[T.state] = STATE.SERVING
    ticket[T.started] = clock.now
  end)
end)
