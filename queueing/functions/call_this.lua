--[[ call_this: call one chosen ticket to a counter; the visit there ends.
  KEYS   1 root
  ARGV   1 clock   2 ticket id   3 who   4 counter   5 whether the called person there came, as in call_next
         6 ticket id the clerk sees at the counter, as in call_next
  Reply  {outcome, ticket id, packed ticket, ahead}; TAKEN when another counter has it, or somebody else is at the
         counter by now; UNANSWERED as in call_next
  Cost   O(log n) ]]
register_move('call_this', function(keys, args)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local id, by, counter = args[2], args[3], args[4]
  if not config_of(facility, 'k:' .. counter) then return {OUTCOME.UNKNOWN_COUNTER} end
  begin_day(facility, clock)
  local ticket, packed = load_ticket(facility, id)
  if not ticket then return {OUTCOME.UNKNOWN_TICKET} end
  if allowed(ticket, {STATE.CALLED, STATE.SERVING}) then return ticket_reply(facility, OUTCOME.TAKEN, id, ticket) end
  if not allowed(ticket, {STATE.EXPECTED, STATE.WAITING, STATE.HELD, STATE.NO_SHOW}) then
    return ticket_reply(facility, OUTCOME.NOT_ALLOWED, id, ticket)
  end
  local images, there = {}, at_counter(facility, counter)
  if args[6] ~= '*' and args[6] ~= there then
    return ticket_reply(facility, OUTCOME.TAKEN, there, load_ticket(facility, there))
  end
  if not end_current(facility, clock, counter, args[5], by, images) then
    return ticket_reply(facility, OUTCOME.UNANSWERED, there, load_ticket(facility, there))
  end
  call_to(facility, clock, counter, by, id, ticket, packed, images)
  remember(facility, clock, by, images, counter, there)
  announce_change(facility, 'called', ticket[T.token], counter, by)
  return ticket_reply(facility, OUTCOME.MOVED, id, ticket)
end)
