--[[ bring_back: from hold to the old place, from no-show to a place after the next two.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register('bring_back', function(keys, args)
  return move(keys, args, 'returned', {STATE.HELD, STATE.NO_SHOW}, function(ticket, _, facility)
    if ticket[T.state] == STATE.NO_SHOW then
      ticket[T.score] = near_the_front(facility, ticket[T.queue], ticket[T.score])
    end
    ticket[T.state] = STATE.WAITING
  end)
end)
