--[[ finish: the person is done here.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register_move('finish', function(keys, args)
  return move(keys, args, 'done', EVENT.DONE, {STATE.CALLED, STATE.SERVING}, function(ticket, clock)
    ticket[T.state] = STATE.DONE
    ticket[T.ended] = clock.now
  end)
end)
