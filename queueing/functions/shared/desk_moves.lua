-- What every move does around its own work: a repeated move is answered again, and the clerk gets the profile of the
-- ticket with the answer.

-- A desk numbers its moves and sends one after the other. A move that is sent again, because its answer was lost, is
-- not made again: the reply is the one of the first time, or SAME_REQUEST for a move before the last one.
--   root:m:DESK  string  the last move of an open desk: packed {number, outcome, ticket id, counter}; MOVES_KEPT_S
local register_move
do  -- a block: what only this function uses is no local of the whole library
  local MOVES_KEPT_S = 86400   -- a desk that lost the network sends its moves within the day

  local function reply_again(facility, number, last)
    if number < last[1] then return {OUTCOME.SAME_REQUEST} end
    local reply = ticket_reply(facility, last[2], last[3], load_ticket(facility, last[3]))
    if last[4] ~= '' then reply[5] = last[4] end
    return reply
  end

  -- Adds to the reply what the clerk sees of the ticket: the counter or '', 1 when an alarm is raised now else 0, the
  -- sealed numbers of the hospital's system, the sealed envelope, the sealed note, each or ''. The reader stands behind
  -- the desk in ARGV 1: login, session digest, address, alarm over so many profiles in ten minutes.
  local function with_profile(facility, args, reply)
    local login, session, address, alarm_over = select(9, cmsgpack.unpack(args[1]))
    local has_ticket = reply[4] ~= nil
    if not login or not has_ticket then return reply end
    local reader = {login = login, session = session, address = address, alarm_over = alarm_over}
    local alarm, numbers = read_whole(facility, reader, present_ms(), reply[2])
    reply[5], reply[6], reply[7] = reply[5] or '', alarm, numbers
    add_sealed(facility, reply, reply[2])
    return reply
  end

  local function made_once(facility, keys, args, run)
    local desk, number = desk_of(args)
    if not desk then return run(keys, args) end
    local key = facility.root .. ':m:' .. desk
    local packed = redis.call('GET', key)
    local last = packed and cmsgpack.unpack(packed)
    if last and number <= last[1] then return reply_again(facility, number, last) end
    local reply = run(keys, args)
    if reply[1] and reply[1] ~= OUTCOME.OTHER_ZONE then
      redis.call('SET', key, cmsgpack.pack({number, reply[1], reply[2] or '', reply[5] or ''}), 'EX', MOVES_KEPT_S)
    end
    return reply
  end

  function register_move(name, run)
    register(name, function(keys, args)
      local facility = open_facility(keys[1])
      return with_profile(facility, args, made_once(facility, keys, args, run))
    end)
  end
end
