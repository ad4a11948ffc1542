--[[ recall: announce again the person this counter called. It cannot be undone: it was already heard.
  KEYS   1 root      ARGV 1 clock   2 counter   3 who   4 ticket that must be there, '' any
  Reply  {outcome, ticket id, packed ticket, ahead}; EMPTY when nobody is called there, TAKEN when another one is
  Cost   O(log n) ]]
register_move('recall', function(keys, args)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local counter, by = args[2], args[3]
  begin_day(facility, clock)
  local id = at_counter(facility, counter)
  local ticket, packed = load_ticket(facility, id)
  if not ticket then return {OUTCOME.EMPTY} end
  if args[4] ~= '' and args[4] ~= id then return ticket_reply(facility, OUTCOME.TAKEN, id, ticket) end
  if not allowed(ticket, {STATE.CALLED}) then return ticket_reply(facility, OUTCOME.NOT_ALLOWED, id, ticket) end
  shift(facility, clock, EVENT.RECALLED, by, id, ticket, packed, function(t)
    t[T.calls] = t[T.calls] + 1
    t[T.revision] = t[T.revision] - 1   -- announcing again is no move: the call itself can still be undone
  end)
  note_call(facility, ticket[T.queue], clock, id, ticket)
  announce_change(facility, 'recalled', ticket[T.token], counter, by)
  return ticket_reply(facility, OUTCOME.MOVED, id, ticket)
end)
