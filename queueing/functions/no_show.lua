--[[ no_show: called, and nobody came. The number stays valid: a person who comes back re-enters near the front.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
register_move('no_show', function(keys, args)
  return move(keys, args, 'no-show', EVENT.NO_SHOW, {STATE.CALLED}, function(ticket)
    ticket[T.state] = STATE.NO_SHOW
  end)
end)
