--[[ bring_back: from hold to the old place; from no-show, done or cancelled to a place after the next two.
     A ticket that ended on an earlier day stays ended: its number may have been given again. So does one whose queue
     was removed meanwhile.
  KEYS   1 root      ARGV 1 clock   2 ticket id   3 who
  Reply  {outcome, ticket id, packed ticket, ahead}
  Cost   O(log n) ]]
local RETURNING = {STATE.HELD, STATE.NO_SHOW, STATE.DONE, STATE.CANCELLED}

local function may_return(ticket, clock, facility)
  if not config_of(facility, 'q:' .. ticket[T.queue]) then return false end
  return LIVING[ticket[T.state]] or ticket[T.ended] >= last_midnight_ms(clock)
end

register_move('bring_back', function(keys, args)
  return move(keys, args, 'returned', EVENT.RETURNED, RETURNING, function(ticket, _, facility)
    if ticket[T.state] ~= STATE.HELD then
      ticket[T.score] = near_the_front(facility, ticket[T.queue], ticket[T.score])
    end
    ticket[T.state] = STATE.WAITING
    ticket[T.ended] = 0
  end, may_return)
end)
