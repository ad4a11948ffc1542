--[[ call_next: the clerk's one key. The visit at the counter ends, and the first of the counter's queues is called.
  KEYS   1 root
  ARGV   1 clock   2 counter   3 who   4 ticket id the clerk sees at the counter, '' none, '*' does not look
         5 whether the called person came: 'finish', 'no_show', 'ask' (reply UNANSWERED), '' (the facility's rule)
  Reply  {outcome, ticket id, packed ticket, ahead}; TAKEN with who is there when another press was first; EMPTY;
         UNANSWERED with who is there: called, never started, and the clerk must say whether the person came
  Cost   O(log n) for each queue the counter serves ]]

local function first_of(facility, queues)
  local best_id, best_score
  for _, queue in ipairs(queues) do
    local head = redis.call('ZRANGE', waiting_key(facility, queue), 0, 0, 'WITHSCORES')
    local score = tonumber(head[2])
    if score and (not best_score or score < best_score) then best_id, best_score = head[1], score end
  end
  return best_id
end

register_move('call_next', function(keys, args)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local counter, by, seen = args[2], args[3], args[4]
  local config = config_of(facility, 'k:' .. counter)
  if not config then return {OUTCOME.UNKNOWN_COUNTER} end
  begin_day(facility, clock)
  local there = at_counter(facility, counter)
  if seen ~= '*' and seen ~= there then
    return ticket_reply(facility, OUTCOME.TAKEN, there, load_ticket(facility, there))
  end
  local images = {}
  if not end_current(facility, clock, counter, args[5], by, images) then
    return ticket_reply(facility, OUTCOME.UNANSWERED, there, load_ticket(facility, there))
  end
  local id = first_of(facility, config.queues)
  if not id then
    if #images > 0 then remember(facility, clock, by, images, counter, there) end
    if end_break(facility, counter) or #images > 0 then announce_change(facility, 'done', '', counter, by) end
    return {OUTCOME.EMPTY}
  end
  local ticket, packed = load_ticket(facility, id)
  call_to(facility, clock, counter, by, id, ticket, packed, images)
  remember(facility, clock, by, images, counter, there)
  announce_change(facility, 'called', ticket[T.token], counter, by)
  return ticket_reply(facility, OUTCOME.MOVED, id, ticket)
end)
