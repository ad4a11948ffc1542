--[[ enqueue: give each of some people one place in one queue, and write the replies to the gateway.
  KEYS   roots of the facilities, one for each arrival
  ARGV   1 clock, then one for each arrival: the values of models.Arrival with the service's rate and burst (desk.py),
         packed one after another
  Reply  one for each arrival: models.Place packed, one value after another; {OTHER_ZONE, zone}; or an error
  Cost   an arrival O(log n) of the queue: a new place is 7 commands, 8 on a day after another; one more where the
         counter led to another queue the last time, and where the facility's default queue is taken; the call one
         more; once a day O(living tickets)
  Same request id again: the same reply; the first time it is noted. Same person again: the same number, its own
  pending reply.
  All of one arrival is read and checked before its first write, so that an error leaves nothing half done; the other
  arrivals of the call are not affected. ]]

local SHOWN_MS = 30 * MINUTE_MS          -- the ABHA app shows a token this long (ABDM test case), at least
local SHOWN_AT_LEAST_S = 60              -- a second scan after that still shows it for a minute
local SHOWN_AT_MOST_S = 86400
local TOKEN_CHARS = 8                    -- what an app shows of a token number without cutting it
local TICKETS_A_PERSON = 8               -- one person in this many queues of one hospital on one day
local DEGREE_M = 111320                  -- metres to a degree; on the few kilometres that matter the earth is flat

-- Positions of the values of an arrival. person, other: digests by which the day knows somebody, '' for none.
-- late, by, reason, any_hour: absent from most.
local A = {facility = 1, counter = 2, text = 3, queue = 4, assurance = 5, position = 6, lane = 7, request = 8,
  reply_wanted = 9, refusal = 10, rate = 11, burst = 12, likely = 13, fingerprint = 14, envelope = 15, person = 16,
  other = 17, late = 18, by = 19, reason = 20, any_hour = 21}

-- What one scan reads of the day, by position; of the day before it reads only the first three. `number` and `last` are
-- replaced by their new values.
local D = {request = 1, person = 2, other = 3, number = 4, last = 5, reserved = 6}

local function shown_s(ticket, clock)
  local left = math.floor((ticket[T.shown_until] - clock.now) / 1000)
  return math.min(SHOWN_AT_MOST_S, math.max(SHOWN_AT_LEAST_S, left))
end

local function place_reply(clock, outcome, id, ticket, ahead)
  local token, queue = ticket[T.token], ticket[T.queue]
  return string.char(outcome) .. text_head(id) .. id .. text_head(token) .. token .. text_head(queue) .. queue
    .. string.char(ticket[T.state]) .. pack_number(ahead) .. pack_number(shown_s(ticket, clock)) .. '\192'
end

local function no_place(outcome, refusal)
  return cmsgpack.pack(outcome, '', '', '', STATE.WAITING, 0, 0, refusal ~= 0 and refusal or nil)
end

local function add_place_reply(facility, clock, arrival, answer)
  if arrival[A.reply_wanted] then
    add_reply(facility, clock, REPLY.ON_SHARE, arrival[A.request], arrival[A.envelope], answer)
  end
end

-- What the reply needs to say when the queue opens: kiosk computes it (queueing/opening_hours.py).
local function closed_by(facility, clock, hours)
  local packed, holidays = redis.call('HGET', facility.record, 'holidays'), {}
  for i, holiday in ipairs(packed and read_settings(packed) or {}) do holidays[i] = holiday[1] end
  return {math.floor((clock.now + clock.offset) / MINUTE_MS), hours, holidays}
end

local BY_HOURS = {'h', 1}

-- Every refusal is a pending reply too: the phone shows it.
-- `id`, `packed`: the place that the person has in the queue, where there is one. `hours`: of a queue that they closed.
local function refuse(facility, clock, today, arrival, refusal, foreign, id, packed, hours)
  redis.call('XLEN', facility.outbox)
  write_request(today, arrival[A.request], request_record(arrival[A.fingerprint], OUTCOME.REFUSED, refusal, ''),
    foreign)
  add_place_reply(facility, clock, arrival,
    {outcome = OUTCOME.REFUSED, refusal = refusal, closed = hours and closed_by(facility, clock, hours)})
  -- A share over the rate has no event: a flood of them must not push other events out of the log.
  if not foreign and refusal ~= REFUSAL.BUSY then
    record_share(facility, clock, EVENT.SHARE_REFUSED, arrival[A.request], OUTCOME.REFUSED, refusal, id, packed,
      unpack(hours and BY_HOURS or {}))
  end
  return no_place(OUTCOME.REFUSED, refusal)
end

-- A share for a facility that is not registered here.
local function foreign(facility, clock, arrival)
  local today = foreign_day_key(facility, clock.day)
  local known = known_answer(redis.call('HGET', today, 'r' .. arrival[A.request]), arrival[A.fingerprint])
  if known then return no_place(known.outcome, known.refusal) end
  return refuse(facility, clock, today, arrival, arrival[A.refusal] or REFUSAL.UNKNOWN_FACILITY, true)
end

-- Brings the facility to its day. Returns the key of the day before while its people and requests still count. After
-- heal_clock went back, that is the later day.
local function reach_today(facility, clock, config)
  local reached, eve = tonumber(config[C.day] or 0), tonumber(config[C.eve] or 0)
  if reach_day(facility, clock, reached) then eve = reached end
  return (eve == clock.day - 1 or eve > clock.day) and day_key(facility, eve) or nil
end

-- This request, the person, the last number of the queue, the last ticket of the day, the reserved numbers.
local function read_day(today, arrival, queue)
  return redis.call('HMGET', today, 'r' .. arrival[A.request], arrival[A.person], arrival[A.other],
    'n' .. (queue and queue.id or ''), '#', 'c' .. (queue and queue.id or ''))
end

-- Of the day before: a request delivered again after midnight, a person who kept the place over it.
local function read_eve(eve, arrival)
  return redis.call('HMGET', eve, 'r' .. arrival[A.request], arrival[A.person], arrival[A.other])
end

local function answered_before(facility, clock, today, arrival, known)
  local ticket, packed
  if known.id then ticket, packed = load_ticket(facility, known.id) end
  if known.first then
    mark_redelivered(today, arrival[A.request], known.record)
    record_share(facility, clock, EVENT.SHARE_REDELIVERED, arrival[A.request], known.answered, known.refusal, known.id,
      packed)
  end
  if not ticket then return no_place(known.outcome, known.refusal) end
  return place_reply(clock, known.outcome, known.id, ticket, ahead_of(facility, known.id, ticket))
end

local function how_near(place, near_m, position)
  if not position or not place then return NEARNESS.UNKNOWN end
  local own = cmsgpack.unpack(place)
  local north = (position[1] - own[1]) * DEGREE_M
  local east = (position[2] - own[2]) * DEGREE_M * math.cos(math.rad(own[1]))
  return north * north + east * east <= near_m * near_m and NEARNESS.NEAR or NEARNESS.FAR
end

-- What the facility's rules make of an arrival: take, expect (counts from check-in), or refuse and why; and how near.
-- A fresh code of the screen proves presence, and so does a place nearby: either is enough. A printed poster has a rule
-- of its own while it is not known where the phone is. A text that names no counter is doubtful wherever the phone is:
-- it may lead to the wrong queue.
local function decide(config, policy, assurance, position)
  local bare = policy[POLICY.poster] or PRESENCE_RULE.TAKE
  if not position and (assurance ~= ASSURANCE.POSTER or bare == PRESENCE_RULE.TAKE)
    and assurance ~= ASSURANCE.STALE and assurance ~= ASSURANCE.UNKNOWN then
    return PRESENCE_RULE.TAKE, nil, NEARNESS.UNKNOWN
  end
  local nearness = how_near(config[C.place], policy[POLICY.near_m], position)
  local verdict, refusal = PRESENCE_RULE.TAKE, nil
  if assurance == ASSURANCE.SCREEN then return verdict, nil, nearness end
  if nearness == NEARNESS.FAR then verdict, refusal = policy[POLICY.far], REFUSAL.FAR end
  if assurance == ASSURANCE.STALE and nearness ~= NEARNESS.NEAR and policy[POLICY.stale] > verdict then
    verdict, refusal = policy[POLICY.stale], REFUSAL.STALE
  end
  if assurance == ASSURANCE.POSTER and nearness == NEARNESS.UNKNOWN then
    verdict, refusal = bare, REFUSAL.NO_PLACE
  end
  if assurance == ASSURANCE.UNKNOWN and policy[POLICY.unknown] > verdict then
    verdict, refusal = policy[POLICY.unknown], REFUSAL.UNKNOWN_COUNTER
  end
  return verdict, verdict == PRESENCE_RULE.REFUSE and refusal or nil, nearness
end

local function living_here(facility, ids, queue)
  for id in string.gmatch(ids, '[^,]+') do
    local ticket, packed = load_ticket(facility, id)
    if ticket and LIVING[ticket[T.state]] and ticket[T.queue] == queue then return id, ticket, packed end
  end
end

-- The living ticket of this person in this queue, of today or kept over midnight.
local function find_person(facility, day, eve, queue)
  for known_by = D.person, D.other do
    local ids = day[known_by] or ''
    if eve and eve[known_by] then ids = ids .. ',' .. eve[known_by] end
    if ids ~= '' then
      local id, ticket, packed = living_here(facility, ids, queue)
      if id then return id, ticket, packed end
    end
  end
end

-- A person who scans again is here now: an expected or missed place counts from this scan.
local function welcome_back(facility, clock, id, ticket, packed, verdict, order_ms)
  local state = ticket[T.state]
  if verdict ~= PRESENCE_RULE.TAKE or (state ~= STATE.EXPECTED and state ~= STATE.NO_SHOW) then return end
  local expected = state == STATE.EXPECTED
  local score = expected and order_at(order_ms, ticket[T.lane])
    or near_the_front(facility, ticket[T.queue], ticket[T.score])
  local event = expected and EVENT.CHECKED_IN or EVENT.RETURNED
  shift(facility, clock, event, '', id, ticket, packed, function(t)
    t[T.state] = STATE.WAITING
    t[T.score] = score
  end)
  announce_change(facility, 'returned', ticket[T.token], '', '')
end

local function known_person(facility, clock, today, arrival, id, ticket, packed, verdict, order_ms)
  redis.call('XLEN', facility.outbox)
  redis.call('XLEN', facility.changes)
  welcome_back(facility, clock, id, ticket, packed, verdict, order_ms)
  write_request(today, arrival[A.request], request_record(arrival[A.fingerprint], OUTCOME.SAME_PERSON, 0, id))
  add_place_reply(facility, clock, arrival,
    {outcome = OUTCOME.SAME_PERSON, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  record_share(facility, clock, EVENT.SHARE_REPEATED, arrival[A.request], OUTCOME.SAME_PERSON, 0, id, packed)
  return place_reply(clock, OUTCOME.SAME_PERSON, id, ticket, ahead_of(facility, id, ticket))
end

local function most_numbers(prefix)
  return 10 ^ (TOKEN_CHARS - #prefix - 1) - 1
end

-- The phone shows a number for half an hour at least, and for one and a half times the expected wait (by the slower
-- of the last calls).
local function shown_until(clock, ahead, pace)
  local slow_s = pace and cmsgpack.unpack(pace)[3] or 0
  return clock.now + math.max(SHOWN_MS, math.floor(1.5 * ahead * slow_s * 1000))
end

local function new_ticket(clock, arrival, queue, number, order, verdict, assurance, nearness, until_ms)
  local ticket = {queue.id, verdict == PRESENCE_RULE.EXPECT and STATE.EXPECTED or STATE.WAITING, arrival[A.lane],
    assurance, nearness, string.format('%s-%03d', queue.prefix, number), clock.now, order, '', 0, 0, 0, 0,
    arrival[A.request], until_ms, 1}
  if arrival[A.reason] then  -- a list has no holes
    ticket[T.lapsed_from], ticket[T.parked], ticket[T.changed], ticket[T.reason] = 0, 0, 0, arrival[A.reason]
  end
  return ticket
end

-- A person's tickets of the day and one more; the newest stay.
local function with_ticket(ids, id)
  if not ids then return id end
  local _, commas = string.gsub(ids, ',', ',')
  if commas + 1 >= TICKETS_A_PERSON then ids = string.match(ids, ',(.*)$') end
  return ids .. ',' .. id
end

-- A new ticket packed, a list of 16. The rare one with a reason is longer.
local function pack_new(ticket, clock)
  if ticket[T.reason] then return cmsgpack.pack(ticket) end
  local queue, token, request = ticket[T.queue], ticket[T.token], ticket[T.request]
  return '\220\0\16' .. text_head(queue) .. queue
    .. string.char(ticket[T.state], ticket[T.lane], ticket[T.assurance], ticket[T.nearness])
    .. text_head(token) .. token .. pack_now(clock) .. cmsgpack.pack(ticket[T.score]) .. '\160\0\0\0\0'
    .. text_head(request) .. request .. cmsgpack.pack(ticket[T.shown_until]) .. '\1'
end

-- Writes everything about the new place that belongs to the day, in one command.
local function write_day(today, day, arrival, id, ticket, packed)
  local request, last = 'r' .. arrival[A.request], day[D.last]
  local answer, person, other = request_record(arrival[A.fingerprint], OUTCOME.NEW, 0, id), arrival[A.person],
    arrival[A.other]
  local queue, number, envelope = 'n' .. ticket[T.queue], day[D.number], arrival[A.envelope]
  if person == '' then
    redis.call('HSET', today, 't' .. id, packed, 'b' .. id, envelope, queue, number, '#', last, request, answer)
  elseif other == '' then
    redis.call('HSET', today, 't' .. id, packed, 'b' .. id, envelope, queue, number, '#', last, request, answer,
      person, with_ticket(day[D.person], id))
  else
    redis.call('HSET', today, 't' .. id, packed, 'b' .. id, envelope, queue, number, '#', last, request, answer,
      person, with_ticket(day[D.person], id), other, with_ticket(day[D.other], id))
  end
end

-- The pending reply is written first: all other keys were read before, so none of them can have a wrong type.
local function give_place(facility, clock, today, day, arrival, ticket, sequence, ahead)
  local id = string.format('%s-%d', text_of_day(clock.day), sequence)
  add_place_reply(facility, clock, arrival,
    {outcome = OUTCOME.NEW, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  local packed = pack_new(ticket, clock)
  write_day(today, day, arrival, id, ticket, packed)
  enter_set(facility, id, ticket, clock.now)
  record_arrival(facility, clock, id, sequence, packed, arrival[A.by])
  if ticket[T.lane] ~= LANE.ORDINARY then ahead = ahead_of(facility, id, ticket) end
  return place_reply(clock, OUTCOME.NEW, id, ticket, ticket[T.state] == STATE.WAITING and ahead or 0)
end

-- The next number of the queue that no ticket of the day before still holds.
local function next_number(day)
  local number, reserved = tonumber(day[D.number] or 0) + 1, day[D.reserved]
  while reserved and string.find(reserved, ',' .. number .. ',', 1, true) do number = number + 1 end
  return number
end

local function enqueue(root, time, packed)
  local facility, arrival = open_facility(root), {cmsgpack.unpack(packed)}
  local config = read_config(facility, arrival[A.counter], arrival[A.text], arrival[A.likely])
  local clock, wrong = clock_in(config[C.zone], config[C.day], time)
  if not clock then return wrong end
  if config[C.hip] ~= arrival[A.facility] then return foreign(facility, clock, arrival) end
  local queue, pace, assurance, closed, by_hours = find_queue(facility, config, arrival[A.queue], arrival[A.likely],
    arrival[A.counter], arrival[A.assurance], arrival[A.text], clock)
  local eve_key = reach_today(facility, clock, config)
  local today = day_key(facility, clock.day)
  local day, eve = read_day(today, arrival, queue), eve_key and read_eve(eve_key, arrival)

  local known = known_answer(day[D.request] or eve and eve[D.request], arrival[A.fingerprint])
  if known then return answered_before(facility, clock, day[D.request] and today or eve_key, arrival, known) end
  if arrival[A.refusal] then
    local id, _, saved = find_person(facility, day, eve, queue and queue.id or '')
    return refuse(facility, clock, today, arrival, arrival[A.refusal], nil, id, saved)
  end
  local sequence, mark, newest = read_last(day[D.last])
  local policy = read_settings(config[C.policy])
  -- A form passed a bucket of its own before it came here (form_gate): it takes nothing of the shares' bucket.
  if assurance ~= ASSURANCE.CAMERA then
    mark = admit(clock, mark, policy[POLICY.rate] or arrival[A.rate], policy[POLICY.burst] or arrival[A.burst])
    if not mark then return refuse(facility, clock, today, arrival, REFUSAL.BUSY) end
  end
  -- Whoever has a place keeps it when the hours end; a clerk may take somebody at any hour.
  if closed and not (by_hours and arrival[A.any_hour]) then
    local id, _, saved = find_person(facility, day, eve, queue and queue.id or '')
    if not (by_hours and id) then
      return refuse(facility, clock, today, arrival, closed, nil, id, saved, by_hours and queue.hours)
    end
  end

  local verdict, refused, nearness = decide(config, policy, assurance, arrival[A.position])
  if arrival[A.late] and verdict == PRESENCE_RULE.TAKE then verdict = PRESENCE_RULE.EXPECT end
  local id, ticket, saved = find_person(facility, day, eve, queue.id)
  local order_ms = order_time(clock, newest)
  if id then return known_person(facility, clock, today, arrival, id, ticket, saved, verdict, order_ms) end
  if refused then return refuse(facility, clock, today, arrival, refused) end
  local number = next_number(day)
  if number > math.min(queue.limit, most_numbers(queue.prefix)) then
    return refuse(facility, clock, today, arrival, REFUSAL.QUEUE_FULL)
  end
  local ahead = redis.call('ZCARD', waiting_key(facility, queue.id))
  if verdict == PRESENCE_RULE.EXPECT then redis.call('ZCARD', aside_key(facility, queue.id)) end
  sequence = sequence + 1
  ticket = new_ticket(clock, arrival, queue, number, order_at(order_ms, arrival[A.lane]) + sequence % ORDER_MS,
    verdict, assurance, nearness, shown_until(clock, ahead, pace))
  day[D.number], day[D.last] = number, cmsgpack.pack(sequence, mark, order_ms)
  return give_place(facility, clock, today, day, arrival, ticket, sequence, ahead)
end

-- One of several: its error is its own reply. A command's error begins with its code, Lua's own has none.
local function enqueue_one(root, time, packed)
  local fine, reply = pcall(enqueue, root, time, packed)
  if fine then return reply end
  local words = type(reply) == 'table' and reply.err or tostring(reply)
  return {err = string.find(words, '^%u+ ') and words or 'ERR ' .. words}
end

register('enqueue', function(keys, args)
  local time = read_time(args)
  local replies = {}
  if #keys == 1 then
    -- Alone, its error is the error of the call: a cluster client reads it to know whether to ask again.
    replies[1] = enqueue(keys[1], time, args[2])
  else
    for i, root in ipairs(keys) do replies[i] = enqueue_one(root, time, args[i + 1]) end
  end
  return replies
end, {})
