--[[ enqueue: give one person one place in one queue, and owe the gateway the answer.
  KEYS   1 root of the facility
  ARGV   1-4 clock (shared/clock.lua)   5 request digest, hex   6 fingerprint of the body, 8 bytes or ''
         7 counter proved by a signed code or ''   8 counter text, upper case   9 queue id or ''
         10 assurance   11 'latitude longitude' of the phone or ''   12 lane   13 refusal given at the door, 0 none
         14 sealed profile   15 sealed note; '' owes nothing   16 places a second   17 places at once
         18, 19 person digests or ''   20 hip id
  Reply  {outcome, ticket id, token, queue, state, ahead, expires in s, refusal}
  Cost   O(log n) of the queue; a new place is 12 commands; once a day O(tickets alive) for the new day
  Same request id again: the same answer, nothing is written. Same person again: the same number, its own debt.
  All is read and checked before the first write, so that an error leaves nothing half done. ]]

local SHOWN_MS = 30 * MINUTE_MS          -- the ABHA app shows a token this long (ABDM test case), at least
local SHOWN_AT_LEAST_S = 60              -- a second scan after that still shows it for a minute
local SHOWN_AT_MOST_S = 86400
local TOKEN_CHARS = 8                    -- what an app shows of a token number without cutting it
local TICKETS_A_PERSON = 8               -- one person in this many queues of one hospital on one day
local DEGREE_M = 111320                  -- metres to a degree; on the few kilometres that matter the earth is flat

local function shown_s(ticket, clock)
  local left = math.floor((ticket[T.shown_until] - clock.now) / 1000)
  return math.min(SHOWN_AT_MOST_S, math.max(SHOWN_AT_LEAST_S, left))
end

local function place_reply(clock, outcome, id, ticket, ahead)
  return {outcome, id, ticket[T.token], ticket[T.queue], ticket[T.state], ahead, shown_s(ticket, clock), 0}
end

local function no_place(outcome, refusal)
  return {outcome, '', '', '', 0, 0, 0, refusal or 0}
end

-- The same step for every refusal: the patient must hear it on the phone.
local function refuse(hall, clock, day, args, refusal)
  redis.call('XLEN', hall.owed)
  write_request(day, args[5], request_record(args[6], OUTCOME.REFUSED, refusal, ''))
  owe(hall, clock, DEBT.ON_SHARE, args[5], args[15], {outcome = OUTCOME.REFUSED, refusal = refusal})
  return no_place(OUTCOME.REFUSED, refusal)
end

-- A share for a facility that is not registered here.
local function foreign(hall, clock, args)
  local day = foreign_day_key(hall, clock.day)
  local known = known_answer(redis.call('HGET', day, 'r' .. args[5]), args[6])
  if known then return no_place(known.outcome, known.refusal) end
  local given = tonumber(args[13])
  return refuse(hall, clock, day, args, given > 0 and given or REFUSAL.UNKNOWN_FACILITY)
end

-- What one scan needs of how things stand; brings the facility to today.
local function read_state(hall, clock, queue)
  local found = redis.call('HMGET', hall.state, 'day', 'eve', 'version', 'rate', 'pace:' .. (queue or ''))
  local stored = tonumber(found[1] or 0)
  local eve = reach_day(hall, clock, stored) and stored or tonumber(found[2] or 0)
  return {eve = eve == clock.day - 1 and day_key(hall, eve), version = tonumber(found[3] or 0),
    rate = tonumber(found[4] or 0), pace = found[5]}
end

-- What one scan needs of the day, read at once: this request, the people, the last number of queue and facility.
local function read_day(hall, clock, args, queue)
  local key = day_key(hall, clock.day)
  local found = redis.call('HMGET', key, 'r' .. args[5], 'p' .. args[18], 'p' .. args[19], 'n' .. (queue or ''), '#')
  return {key = key, request = found[1], persons = {found[2], found[3]}, number = tonumber(found[4] or 0),
    sequence = tonumber(found[5] or 0)}
end

local function answered_before(hall, clock, known)
  local ticket = known.id and load_ticket(hall, known.id)
  if not ticket then return no_place(known.outcome, known.refusal) end
  return place_reply(clock, known.outcome, known.id, ticket, ahead_of(hall, known.id, ticket))
end

local function how_near(place, policy, position)
  if position == '' or not place then return NEARNESS.UNKNOWN end
  local latitude, longitude = string.match(position, '^(%S+) (%S+)$')
  local own_latitude, own_longitude = string.match(place, '^(%S+) (%S+)$')
  local north = (latitude - own_latitude) * DEGREE_M
  local east = (longitude - own_longitude) * DEGREE_M * math.cos(math.rad(own_latitude))
  return math.sqrt(north * north + east * east) <= policy[4] and NEARNESS.NEAR or NEARNESS.FAR
end

-- What the facility's policy makes of doubt: take, expect (counts from check-in), or refuse and why; and how near.
local function decide(config, assurance, position)
  if position == '' and assurance ~= ASSURANCE.STALE and assurance ~= ASSURANCE.UNKNOWN then
    return REMOTE.TAKE, nil, NEARNESS.UNKNOWN
  end
  local policy = cmsgpack.unpack(config.policy)
  local nearness = how_near(config.place, policy, position)
  local worst, refusal = REMOTE.TAKE, nil
  local function doubt(verdict, why)
    if verdict > worst then worst, refusal = verdict, why end
  end
  if nearness == NEARNESS.FAR then doubt(policy[1], REFUSAL.FAR) end
  if assurance == ASSURANCE.STALE then doubt(policy[2], REFUSAL.STALE) end
  if assurance == ASSURANCE.UNKNOWN then doubt(policy[3], REFUSAL.UNKNOWN_COUNTER) end
  return worst, worst == REMOTE.REFUSE and refusal or nil, nearness
end

-- A bucket per facility (GCRA): returns the new mark, or nil when the facility takes too many at once.
local function admit(clock, mark, rate, burst)
  local step = 1000 / rate
  local moved = math.max(mark, clock.now) + step
  return moved - clock.now <= step * burst and moved or nil
end

local function living_here(hall, ids, queue)
  for id in string.gmatch(ids, '[^,]+') do
    local ticket, packed = load_ticket(hall, id)
    if ticket and LIVING[ticket[T.state]] and ticket[T.queue] == queue then return id, ticket, packed end
  end
end

-- The living ticket of this person in this queue, of today or carried over midnight.
local function find_person(hall, state, day, args, queue)
  local known = {day.persons[1] or '', day.persons[2] or ''}
  if state.eve then
    local before = redis.call('HMGET', state.eve, 'p' .. args[18], 'p' .. args[19])
    known = {known[1] .. ',' .. (before[1] or ''), known[2] .. ',' .. (before[2] or '')}
  end
  for i = 1, 2 do
    if args[17 + i] ~= '' and known[i] ~= '' then
      local id, ticket, packed = living_here(hall, known[i], queue)
      if id then return id, ticket, packed end
    end
  end
end

-- A person who comes again is here now: an expected or missed place counts from this scan on.
local function welcome_back(hall, clock, id, ticket, packed, verdict)
  local state = ticket[T.state]
  if verdict ~= REMOTE.TAKE or (state ~= STATE.EXPECTED and state ~= STATE.NO_SHOW) then return end
  local score = state == STATE.EXPECTED and clock.now - HEAD_START_MS[ticket[T.lane]]
    or near_the_front(hall, ticket[T.queue], ticket[T.score])
  shift(hall, clock, id, ticket, packed, function(t)
    t[T.state] = STATE.WAITING
    t[T.score] = score
  end)
  tell(hall, 'returned', ticket[T.token], '', '')
end

local function known_person(hall, clock, day, args, id, ticket, packed, verdict)
  redis.call('XLEN', hall.owed)
  redis.call('XLEN', hall.news)
  welcome_back(hall, clock, id, ticket, packed, verdict)
  write_request(day.key, args[5], request_record(args[6], OUTCOME.SAME_PERSON, 0, id))
  owe(hall, clock, DEBT.ON_SHARE, args[5], args[15],
    {outcome = OUTCOME.SAME_PERSON, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  return place_reply(clock, OUTCOME.SAME_PERSON, id, ticket, ahead_of(hall, id, ticket))
end

local function most_numbers(prefix)
  return 10 ^ (TOKEN_CHARS - #prefix - 1) - 1
end

-- Arrival less head start. Many arrive in one millisecond; the number's share of it keeps them in the order of numbers.
local function order_score(clock, lane, number)
  return clock.now - HEAD_START_MS[lane] + (number % 1024) / 1024
end

-- The phone shows a number for half an hour, or half as long again as the slower of the last calls let expect.
local function shown_until(clock, ahead, pace)
  local slow_s = pace and cmsgpack.unpack(pace)[3] or 0
  return clock.now + math.max(SHOWN_MS, math.floor(1.5 * ahead * slow_s * 1000))
end

local function new_ticket(clock, args, queue, prefix, number, verdict, assurance, nearness, until_ms)
  local lane = tonumber(args[12])
  return {queue, verdict == REMOTE.EXPECT and STATE.EXPECTED or STATE.WAITING, lane, assurance, nearness,
    string.format('%s-%03d', prefix, number), clock.now, order_score(clock, lane, number), '', 0, 0, 0, 0,
    args[5], until_ms, 1}
end

-- A person's tickets of the day with one more, the newest kept.
local function with_ticket(ids, id)
  if not ids then return id end
  local _, commas = string.gsub(ids, ',', ',')
  if commas + 1 >= TICKETS_A_PERSON then ids = string.match(ids, ',(.*)$') end
  return ids .. ',' .. id
end

-- Everything about the new place that belongs to the day, in one command.
local function write_day(day, args, id, ticket, number, sequence)
  local fields = {'t' .. id, cmsgpack.pack(ticket), 'b' .. id, args[14], 'n' .. ticket[T.queue], number,
    '#', sequence, 'r' .. args[5], request_record(args[6], OUTCOME.NEW, 0, id)}
  for i = 1, 2 do
    if args[17 + i] ~= '' then
      fields[#fields + 1] = 'p' .. args[17 + i]
      fields[#fields + 1] = with_ticket(day.persons[i], id)
    end
  end
  redis.call('HSET', day.key, unpack(fields))
  if sequence == 1 then redis.call('EXPIRE', day.key, KEEP_DAY_S) end
end

local function give_place(hall, clock, state, day, args, ticket, mark, ahead)
  redis.call('XLEN', hall.news)
  local sequence = day.sequence + 1
  local id = clock.day .. '-' .. sequence
  owe(hall, clock, DEBT.ON_SHARE, args[5], args[15],
    {outcome = OUTCOME.NEW, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  write_day(day, args, id, ticket, day.number + 1, sequence)
  redis.call('HSET', hall.state, 'rate', mark, 'version', state.version + 1)
  enter_set(hall, id, ticket, clock.now)
  announce(hall, 'new', ticket[T.token], '', '')
  if ticket[T.lane] ~= LANE.ORDINARY then ahead = ahead_of(hall, id, ticket) end
  return place_reply(clock, OUTCOME.NEW, id, ticket, ticket[T.state] == STATE.WAITING and ahead or 0)
end

register('enqueue', function(keys, args)
  local hall = open_hall(keys[1])
  local config = read_config(hall, args[7], args[8])
  local clock, wrong = tell_time(config.zone, args)
  if not clock then return wrong end
  if config.hip ~= args[20] then return foreign(hall, clock, args) end
  local queue, settings, assurance, closed = find_queue(hall, config, args[9], args[7], tonumber(args[10]))
  local state = read_state(hall, clock, queue)
  local day = read_day(hall, clock, args, queue)

  local known = known_answer(day.request, args[6])
    or state.eve and known_answer(redis.call('HGET', state.eve, 'r' .. args[5]), args[6])
  if known then return answered_before(hall, clock, known) end
  local given = tonumber(args[13])
  if given > 0 then return refuse(hall, clock, day.key, args, given) end
  local mark = admit(clock, state.rate, tonumber(args[16]), tonumber(args[17]))
  if not mark then return refuse(hall, clock, day.key, args, REFUSAL.BUSY) end
  if closed then return refuse(hall, clock, day.key, args, closed) end

  local verdict, refused, nearness = decide(config, assurance, args[11])
  local id, ticket, packed = find_person(hall, state, day, args, queue)
  if id then return known_person(hall, clock, day, args, id, ticket, packed, verdict) end
  if refused then return refuse(hall, clock, day.key, args, refused) end
  if day.number >= math.min(settings.limit, most_numbers(settings.prefix)) then
    return refuse(hall, clock, day.key, args, REFUSAL.QUEUE_FULL)
  end
  local ahead = redis.call('ZCARD', waiting_key(hall, queue))
  if verdict == REMOTE.EXPECT then redis.call('ZCARD', aside_key(hall, queue)) end
  ticket = new_ticket(clock, args, queue, settings.prefix, day.number + 1, verdict, assurance, nearness,
    shown_until(clock, ahead, state.pace))
  return give_place(hall, clock, state, day, args, ticket, mark, ahead)
end, {})
