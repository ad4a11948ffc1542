--[[ enqueue: give each of some people one place in one queue, and owe the gateway the answers.
  KEYS   roots of the facilities, one an arrival
  ARGV   1 clock, and then one an arrival: values of models.Arrival, with places a second and at once (desk.py), packed
         one after another
  Reply  an answer an arrival: models.Place packed, one value after another; {OTHER_ZONE, zone}; or an error
  Cost   an arrival O(log n) of the queue; a new place is 7 commands, 8 the day after another, and the call 2 or 3; once
         a day O(tickets alive)
  Same request id again: the same answer, nothing is written. Same person again: the same number, its own pending reply.
  All of one arrival is read and checked before its first write, so that an error leaves nothing half done; who came
  with it does not notice. ]]

local SHOWN_MS = 30 * MINUTE_MS          -- the ABHA app shows a token this long (ABDM test case), at least
local SHOWN_AT_LEAST_S = 60              -- a second scan after that still shows it for a minute
local SHOWN_AT_MOST_S = 86400
local TOKEN_CHARS = 8                    -- what an app shows of a token number without cutting it
local TICKETS_A_PERSON = 8               -- one person in this many queues of one hospital on one day
local DEGREE_M = 111320                  -- metres to a degree; on the few kilometres that matter the earth is flat

-- Where the values of an arrival stand. person, other: what the day knows somebody by, '' for nothing. late: true, or
-- absent.
local A = {facility = 1, counter = 2, text = 3, queue = 4, assurance = 5, position = 6, lane = 7, request = 8, reply_wanted = 9,
  refusal = 10, rate = 11, burst = 12, fingerprint = 13, envelope = 14, person = 15, other = 16, late = 17}

-- What one scan needs of the day, and where it stands, as it was and then as it will be; of the day before only the
-- first three.
local D = {request = 1, person = 2, other = 3, number = 4, last = 5}

local function shown_s(ticket, clock)
  local left = math.floor((ticket[T.shown_until] - clock.now) / 1000)
  return math.min(SHOWN_AT_MOST_S, math.max(SHOWN_AT_LEAST_S, left))
end

local function place_reply(clock, outcome, id, ticket, ahead)
  return cmsgpack.pack(outcome, id, ticket[T.token], ticket[T.queue], ticket[T.state], ahead, shown_s(ticket, clock), nil)
end

local function no_place(outcome, refusal)
  return cmsgpack.pack(outcome, '', '', '', STATE.WAITING, 0, 0, refusal ~= 0 and refusal or nil)
end

local function add_place_reply(facility, clock, arrival, answer)
  if arrival[A.reply_wanted] then add_reply(facility, clock, REPLY.ON_SHARE, arrival[A.request], arrival[A.envelope], answer) end
end

-- The same step for every refusal: the patient must hear it on the phone.
local function refuse(facility, clock, today, arrival, refusal)
  redis.call('XLEN', facility.outbox)
  write_request(today, arrival[A.request], request_record(arrival[A.fingerprint], OUTCOME.REFUSED, refusal, ''))
  add_place_reply(facility, clock, arrival, {outcome = OUTCOME.REFUSED, refusal = refusal})
  return no_place(OUTCOME.REFUSED, refusal)
end

-- A share for a facility that is not registered here.
local function foreign(facility, clock, arrival)
  local today = foreign_day_key(facility, clock.day)
  local known = known_answer(redis.call('HGET', today, 'r' .. arrival[A.request]), arrival[A.fingerprint])
  if known then return no_place(known.outcome, known.refusal) end
  return refuse(facility, clock, today, arrival, arrival[A.refusal] or REFUSAL.UNKNOWN_FACILITY)
end

-- Brings the facility to today. Returns the key of the day before when people and requests of then still count.
local function reach_today(facility, clock, config)
  local reached, eve = tonumber(config[C.day] or 0), tonumber(config[C.eve] or 0)
  if reach_day(facility, clock, reached) then eve = reached end
  return eve == clock.day - 1 and day_key(facility, eve) or nil
end

-- This request, the people, the last number of the queue, the last ticket of the day.
local function read_day(today, arrival, queue)
  return redis.call('HMGET', today, 'r' .. arrival[A.request], arrival[A.person], arrival[A.other],
    'n' .. (queue and queue.id or ''), '#')
end

-- Of the day before: a request delivered again after midnight, a person who kept the place over it.
local function read_eve(eve, arrival)
  return redis.call('HMGET', eve, 'r' .. arrival[A.request], arrival[A.person], arrival[A.other])
end

local function answered_before(facility, clock, known)
  local ticket = known.id and load_ticket(facility, known.id)
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

-- What the facility's policy makes of doubt: take, expect (counts from check-in), or refuse and why; and how near.
local function decide(config, assurance, position)
  if not position and assurance ~= ASSURANCE.STALE and assurance ~= ASSURANCE.UNKNOWN then
    return PRESENCE_RULE.TAKE, nil, NEARNESS.UNKNOWN
  end
  local policy = read_settings(config[C.policy])
  local nearness = how_near(config[C.place], policy[4], position)
  local verdict, refusal = PRESENCE_RULE.TAKE, nil
  if nearness == NEARNESS.FAR and policy[1] > verdict then verdict, refusal = policy[1], REFUSAL.FAR end
  if assurance == ASSURANCE.STALE and policy[2] > verdict then verdict, refusal = policy[2], REFUSAL.STALE end
  if assurance == ASSURANCE.UNKNOWN and policy[3] > verdict then
    verdict, refusal = policy[3], REFUSAL.UNKNOWN_COUNTER
  end
  return verdict, verdict == PRESENCE_RULE.REFUSE and refusal or nil, nearness
end

-- A bucket per facility (GCRA): returns the new mark, or nil when the facility takes too many at once.
local function admit(clock, mark, rate, burst)
  local step = 1000 / rate
  local moved = math.max(mark, clock.now) + step
  return moved - clock.now <= step * burst and moved or nil
end

local function living_here(facility, ids, queue)
  for id in string.gmatch(ids, '[^,]+') do
    local ticket, packed = load_ticket(facility, id)
    if ticket and LIVING[ticket[T.state]] and ticket[T.queue] == queue then return id, ticket, packed end
  end
end

-- The living ticket of this person in this queue, of today or carried over midnight.
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

-- A person who comes again is here now: an expected or missed place counts from this scan on.
local function welcome_back(facility, clock, id, ticket, packed, verdict)
  local state = ticket[T.state]
  if verdict ~= PRESENCE_RULE.TAKE or (state ~= STATE.EXPECTED and state ~= STATE.NO_SHOW) then return end
  local score = state == STATE.EXPECTED and order_at(clock.now, ticket[T.lane])
    or near_the_front(facility, ticket[T.queue], ticket[T.score])
  shift(facility, clock, id, ticket, packed, function(t)
    t[T.state] = STATE.WAITING
    t[T.score] = score
  end)
  tell(facility, 'returned', ticket[T.token], '', '')
end

local function known_person(facility, clock, today, arrival, id, ticket, packed, verdict)
  redis.call('XLEN', facility.outbox)
  redis.call('XLEN', facility.changes)
  welcome_back(facility, clock, id, ticket, packed, verdict)
  write_request(today, arrival[A.request], request_record(arrival[A.fingerprint], OUTCOME.SAME_PERSON, 0, id))
  add_place_reply(facility, clock, arrival,
    {outcome = OUTCOME.SAME_PERSON, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  return place_reply(clock, OUTCOME.SAME_PERSON, id, ticket, ahead_of(facility, id, ticket))
end

local function most_numbers(prefix)
  return 10 ^ (TOKEN_CHARS - #prefix - 1) - 1
end

-- The phone shows a number for half an hour, or half as long again as the slower of the last calls let expect.
local function shown_until(clock, ahead, pace)
  local slow_s = pace and cmsgpack.unpack(pace)[3] or 0
  return clock.now + math.max(SHOWN_MS, math.floor(1.5 * ahead * slow_s * 1000))
end

local function new_ticket(clock, arrival, queue, number, order, verdict, assurance, nearness, until_ms)
  return {queue.id, verdict == PRESENCE_RULE.EXPECT and STATE.EXPECTED or STATE.WAITING, arrival[A.lane], assurance, nearness,
    string.format('%s-%03d', queue.prefix, number), clock.now, order, '', 0, 0, 0, 0, arrival[A.request], until_ms, 1}
end

-- A person's tickets of the day with one more, the newest kept.
local function with_ticket(ids, id)
  if not ids then return id end
  local _, commas = string.gsub(ids, ',', ',')
  if commas + 1 >= TICKETS_A_PERSON then ids = string.match(ids, ',(.*)$') end
  return ids .. ',' .. id
end

-- Everything about the new place that belongs to the day, in one command.
local function write_day(today, day, arrival, id, ticket)
  local person, other = arrival[A.person], arrival[A.other]
  if person == '' then person = nil end
  if other == '' then other = nil end
  redis.call('HSET', today, unpack{'t' .. id, cmsgpack.pack(ticket), 'b' .. id, arrival[A.envelope],
    'n' .. ticket[T.queue], day[D.number], '#', day[D.last],
    'r' .. arrival[A.request], request_record(arrival[A.fingerprint], OUTCOME.NEW, 0, id),
    person, person and with_ticket(day[D.person], id), other, other and with_ticket(day[D.other], id)})
end

-- The pending reply goes first: all else was read before, so nothing after it can be of a wrong type.
local function give_place(facility, clock, today, day, arrival, ticket, sequence, ahead)
  local id = string.format('%s-%d', text_of_day(clock.day), sequence)
  add_place_reply(facility, clock, arrival,
    {outcome = OUTCOME.NEW, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  write_day(today, day, arrival, id, ticket)
  if sequence == 1 then redis.call('EXPIRE', today, KEEP_DAY_S) end
  enter_set(facility, id, ticket, clock.now)
  clock.came[#clock.came + 1] = facility
  if ticket[T.lane] ~= LANE.ORDINARY then ahead = ahead_of(facility, id, ticket) end
  return place_reply(clock, OUTCOME.NEW, id, ticket, ticket[T.state] == STATE.WAITING and ahead or 0)
end

local function enqueue(root, told, packed)
  local facility, arrival = open_facility(root), {cmsgpack.unpack(packed)}
  local config = read_config(facility, arrival[A.counter], arrival[A.text])
  local clock, wrong = clock_in(config[C.zone], told)
  if not clock then return wrong end
  if config[C.hip] ~= arrival[A.facility] then return foreign(facility, clock, arrival) end
  local queue, pace, assurance, closed =
    find_queue(facility, config, arrival[A.queue], arrival[A.counter], arrival[A.assurance])
  local eve_key = reach_today(facility, clock, config)
  local today = day_key(facility, clock.day)
  local day, eve = read_day(today, arrival, queue), eve_key and read_eve(eve_key, arrival)

  local known = known_answer(day[D.request] or eve and eve[D.request], arrival[A.fingerprint])
  if known then return answered_before(facility, clock, known) end
  if arrival[A.refusal] then return refuse(facility, clock, today, arrival, arrival[A.refusal]) end
  local sequence, mark = 0, 0
  if day[D.last] then sequence, mark = cmsgpack.unpack(day[D.last]) end
  mark = admit(clock, mark, arrival[A.rate], arrival[A.burst])
  if not mark then return refuse(facility, clock, today, arrival, REFUSAL.BUSY) end
  if closed then return refuse(facility, clock, today, arrival, closed) end

  local verdict, refused, nearness = decide(config, assurance, arrival[A.position])
  if arrival[A.late] and verdict == PRESENCE_RULE.TAKE then verdict = PRESENCE_RULE.EXPECT end
  local id, ticket, saved = find_person(facility, day, eve, queue.id)
  if id then return known_person(facility, clock, today, arrival, id, ticket, saved, verdict) end
  if refused then return refuse(facility, clock, today, arrival, refused) end
  local number = tonumber(day[D.number] or 0) + 1
  if number > math.min(queue.limit, most_numbers(queue.prefix)) then
    return refuse(facility, clock, today, arrival, REFUSAL.QUEUE_FULL)
  end
  local ahead = redis.call('ZCARD', waiting_key(facility, queue.id))
  if verdict == PRESENCE_RULE.EXPECT then redis.call('ZCARD', aside_key(facility, queue.id)) end
  sequence = sequence + 1
  ticket = new_ticket(clock, arrival, queue, number, order_at(clock.now, arrival[A.lane]) + sequence % ORDER_MS, verdict,
    assurance, nearness, shown_until(clock, ahead, pace))
  day[D.number], day[D.last] = number, cmsgpack.pack(sequence, mark)
  return give_place(facility, clock, today, day, arrival, ticket, sequence, ahead)
end

-- One of several: its error is its own answer. A command's error begins with its code, Lua's own has none.
local function enqueue_one(root, told, packed)
  local fine, reply = pcall(enqueue, root, told, packed)
  if fine then return reply end
  local words = type(reply) == 'table' and reply.err or tostring(reply)
  return {err = string.find(words, '^%u+ ') and words or 'ERR ' .. words}
end

register('enqueue', function(keys, args)
  local told = tell_time(args)
  told.came = {}  -- facilities in which somebody got a place
  local replies = {}
  if #keys == 1 then
    -- Alone, its error is the call's: a cluster reads from it whether to ask again.
    replies[1] = enqueue(keys[1], told, args[2])
  else
    for i, root in ipairs(keys) do replies[i] = enqueue_one(root, told, args[i + 1]) end
  end
  if told.came[1] then announce_arrivals(told.came, told) end
  return replies
end, {})
