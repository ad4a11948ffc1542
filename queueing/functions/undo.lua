--[[ undo: take back the last move of this member of staff, unless somebody else moved its tickets since. Called again,
     it takes back the move before.
  KEYS   1 root      ARGV 1 clock   2 counter where the clerk sits (for the change hint)   3 who
  Reply  {outcome, ticket id, packed ticket, ahead, counter of the move}; NOTHING_TO_UNDO, or TAKEN when somebody
         moved it on
  Cost   O(log n) for each ticket of the move (two at most) ]]

-- Whether queue and counter of a ticket as it was are still there: an administrator may have removed them.
local function has_its_place(facility, before)
  local counter = before[T.counter]
  return config_of(facility, 'q:' .. before[T.queue]) and (counter == '' or config_of(facility, 'k:' .. counter))
end

-- True when nobody moved the tickets since, and the counters they go back to are free.
local function untouched(facility, images)
  local own = {}
  for _, image in ipairs(images) do
    local ticket = load_ticket(facility, image[1])
    if not ticket or ticket[T.revision] ~= image[3] then return false, image[1], ticket end
    own[image[1]] = true
  end
  for _, image in ipairs(images) do
    local before = cmsgpack.unpack(image[2])
    if not has_its_place(facility, before) then return false, image[1], load_ticket(facility, image[1]) end
    if allowed(before, {STATE.CALLED, STATE.SERVING}) then
      local there = at_counter(facility, before[T.counter])
      if there ~= '' and not own[there] then return false, there, load_ticket(facility, there) end
    end
  end
  return true
end

local function restore(facility, clock, image, by)
  local id = image[1]
  local ticket = load_ticket(facility, id)
  leave_sets(facility, id, ticket)
  leave_counter(facility, id, ticket)
  local before = cmsgpack.unpack(image[2])
  local was = before[T.revision]
  before[T.revision] = ticket[T.revision]
  if ticket[T.parked] then before[T.lapsed_from], before[T.parked] = before[T.lapsed_from] or 0, ticket[T.parked] end
  record_event(facility, clock, EVENT.UNDONE, id, save_ticket(facility, id, before, clock.now), by)
  return id, before, was
end

-- The ticket is again as an earlier move of the same person left it, so that this move can be undone too.
local function adopt(moves, id, was, is)
  for _, earlier in ipairs(moves) do
    for _, image in ipairs(earlier[2]) do
      if image[1] == id and image[3] == was then image[3] = is end
    end
  end
end

-- The moves of a clerk, the newest first. An earlier release wrote each as a list.
local function moves_of(facility, by)
  local packed = redis.call('HGET', undo_key(facility), by)
  local moves = packed and cmsgpack.unpack(packed) or {}
  for i, move in ipairs(moves) do
    if type(move) == 'string' then moves[i] = cmsgpack.unpack(move) end
  end
  return moves
end

local function write_moves(facility, by, moves)
  for i, move in ipairs(moves) do moves[i] = cmsgpack.pack(move) end
  redis.call('HSET', undo_key(facility), by, cmsgpack.pack(moves))
end

local function forget_call(facility, queue, id)
  remove_calls(queue_calls_key(facility, queue), id)
  remove_calls(calls_key(facility), id)
end

register_move('undo', function(keys, args)
  local facility = open_facility(keys[1])
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local by = args[3]
  begin_day(facility, clock)
  local moves = moves_of(facility, by)
  local last = moves[1]
  if not last or clock.now - last[1] > UNDO_FOR_MS then return {OUTCOME.NOTHING_TO_UNDO} end
  local free, other, as_it_is = untouched(facility, last[2])
  if not free then return ticket_reply(facility, OUTCOME.TAKEN, other, as_it_is) end
  table.remove(moves, 1)
  local id, ticket, was
  for i = #last[2], 1, -1 do
    id, ticket, was = restore(facility, clock, last[2][i], by)
    adopt(moves, id, was, ticket[T.revision])
    if ticket[T.state] == STATE.WAITING then forget_call(facility, ticket[T.queue], id) end
    if ticket[T.state] == STATE.CALLED or ticket[T.state] == STATE.SERVING then
      set_at_counter(facility, ticket[T.counter], id)
    end
  end
  write_moves(facility, by, moves)
  announce_change(facility, 'undone', ticket[T.token], last[3], by)
  local reply = ticket_reply(facility, OUTCOME.MOVED, id, ticket)
  table.insert(reply, last[3])
  return reply
end)
