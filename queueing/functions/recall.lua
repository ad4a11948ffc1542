--[[ recall: announce again whom this counter called. Cannot be taken back: the hall has heard it.
  KEYS   1 root      ARGV 1 clock   2 counter   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}; EMPTY when nobody is called there
  Cost   O(log n) ]]
register('recall', function(keys, args)
  local hall = open_hall(keys[1])
  local clock, wrong = read_clock(hall, args)
  if not clock then return wrong end
  local counter, by = args[2], args[3]
  begin_day(hall, clock)
  local id = at_counter(hall, counter)
  local ticket, packed = load_ticket(hall, id)
  if not ticket then return {OUTCOME.EMPTY} end
  if not allowed(ticket, {STATE.CALLED}) then return ticket_reply(hall, OUTCOME.NOT_ALLOWED, id, ticket) end
  shift(hall, clock, id, ticket, packed, function(t)
    t[T.calls] = t[T.calls] + 1
    t[T.revision] = t[T.revision] - 1   -- announcing again is no move: the call itself can still be taken back
  end)
  note_call(hall, ticket[T.queue], clock, id, ticket)
  tell(hall, 'recalled', ticket[T.token], counter, by)
  return ticket_reply(hall, OUTCOME.MOVED, id, ticket)
end)
