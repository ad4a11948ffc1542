--[[ transfer: the same person and number, in another queue (registration, room, lab, pharmacy), where the place counts
     from now. The ticket remembers the queue it left.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who   4 queue id
  Reply  {outcome, ticket id, packed ticket, ahead}; UNKNOWN_QUEUE; NOT_ALLOWED into the queue it stands in
  Cost   O(log n) ]]

local STOPS_KEPT = 8   -- a long day has registration, doctor, laboratory, X-ray, doctor again and pharmacy

-- One stop, read by queueing/stops.py: the queue, when the ticket came into it, when the person was called there and
-- came (0: nobody recorded that they came), when it was sent on; ms.
local STOP = {queue = 1, arrived = 2, called = 3, ended = 4}

-- Adds the present queue to the ticket's stops; the oldest gives way. `started` of an earlier stop stays in the ticket
-- until the next call, so it counts only when it is of this one.
local function add_stop(ticket, now)
  local stops = ticket[T.stops] or {}
  local before = stops[#stops]
  local arrived = before and before[STOP.ended] or ticket[T.arrived]
  local came = allowed(ticket, {STATE.CALLED, STATE.SERVING}) or ticket[T.started] > arrived
  stops[#stops + 1] = {ticket[T.queue], arrived, came and ticket[T.called] or 0, now}
  if #stops > STOPS_KEPT then table.remove(stops, 1) end
  ticket[T.reason], ticket[T.stops] = ticket[T.reason] or 0, stops  -- a list has no holes
end

register_move('transfer', function(keys, args)
  local facility = open_facility(keys[1])
  local to = args[4]
  if not config_of(facility, 'q:' .. to) then return {OUTCOME.UNKNOWN_QUEUE} end
  local ticket = load_ticket(facility, args[2])
  if ticket and ticket[T.queue] == to then return ticket_reply(facility, OUTCOME.NOT_ALLOWED, args[2], ticket) end
  local from = {STATE.WAITING, STATE.CALLED, STATE.SERVING, STATE.HELD, STATE.NO_SHOW}
  return move(keys, args, 'transferred', EVENT.TRANSFERRED, from, function(moved, clock)
    add_stop(moved, clock.now)
    moved[T.queue] = to
    moved[T.state] = STATE.WAITING
    moved[T.score] = order_at(order_now(facility, clock), moved[T.lane])
  end)
end)
