--[[ transfer: the same person and number, in another queue (registration, room, lab, pharmacy), where the place counts
     from now.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who   4 queue id
  Reply  {outcome, ticket id, packed ticket, ahead}; UNKNOWN_QUEUE; NOT_ALLOWED into the queue it stands in
  Cost   O(log n) ]]
register_move('transfer', function(keys, args)
  local facility = open_facility(keys[1])
  local to = args[4]
  if not config_of(facility, 'q:' .. to) then return {OUTCOME.UNKNOWN_QUEUE} end
  local ticket = load_ticket(facility, args[2])
  if ticket and ticket[T.queue] == to then return ticket_reply(facility, OUTCOME.NOT_ALLOWED, args[2], ticket) end
  local from = {STATE.WAITING, STATE.CALLED, STATE.SERVING, STATE.HELD, STATE.NO_SHOW}
  return move(keys, args, 'transferred', EVENT.TRANSFERRED, from, function(moved, clock)
    moved[T.queue] = to
    moved[T.state] = STATE.WAITING
    moved[T.score] = order_at(order_now(facility, clock), moved[T.lane])
  end)
end)
