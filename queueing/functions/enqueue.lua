--[[ enqueue: give each of some people one place in one queue, and owe the gateway the answers.
  KEYS   roots of the facilities, one an arrival
  ARGV   1 clock, and then five an arrival: of models.Arrival what is no bytes, with places a second and at once
         (desk.py), packed one after another; fingerprint; sealed letter; two digests by which the person is known, or ''
  Reply  an answer an arrival: models.Place packed, one value after another; {OTHER_ZONE, zone}; or an error
  Cost   an arrival O(log n) of the queue; a new place is 9 commands, 10 the day after another; once a day O(tickets
         alive)
  Same request id again: the same answer, nothing is written. Same person again: the same number, its own debt.
  All of one arrival is read and checked before its first write, so that an error leaves nothing half done; who came
  with it does not notice. ]]

local SHOWN_MS = 30 * MINUTE_MS          -- the ABHA app shows a token this long (ABDM test case), at least
local SHOWN_AT_LEAST_S = 60              -- a second scan after that still shows it for a minute
local SHOWN_AT_MOST_S = 86400
local TOKEN_CHARS = 8                    -- what an app shows of a token number without cutting it
local TICKETS_A_PERSON = 8               -- one person in this many queues of one hospital on one day
local ARGUMENTS = 5
local DEGREE_M = 111320                  -- metres to a degree; on the few kilometres that matter the earth is flat

local function some(digest)
  return digest ~= '' and digest or nil
end

local function read_arrival(args, at)
  local facility, counter, text, queue, assurance, position, lane, request, owed, refusal, rate, burst =
    cmsgpack.unpack(args[at])
  return {facility = facility, counter = counter, text = text, queue = queue, assurance = assurance,
    position = position, lane = lane, request = request, owed = owed, refusal = refusal, rate = rate, burst = burst,
    fingerprint = args[at + 1], letter = args[at + 2], persons = {some(args[at + 3]), some(args[at + 4])}}
end

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

local function owe_place(hall, clock, arrival, answer)
  if arrival.owed then owe(hall, clock, DEBT.ON_SHARE, arrival.request, arrival.letter, answer) end
end

-- The same step for every refusal: the patient must hear it on the phone.
local function refuse(hall, clock, day, arrival, refusal)
  redis.call('XLEN', hall.owed)
  write_request(day, arrival.request, request_record(arrival.fingerprint, OUTCOME.REFUSED, refusal, ''))
  owe_place(hall, clock, arrival, {outcome = OUTCOME.REFUSED, refusal = refusal})
  return no_place(OUTCOME.REFUSED, refusal)
end

-- A share for a facility that is not registered here.
local function foreign(hall, clock, arrival)
  local day = foreign_day_key(hall, clock.day)
  local known = known_answer(redis.call('HGET', day, 'r' .. arrival.request), arrival.fingerprint)
  if known then return no_place(known.outcome, known.refusal) end
  return refuse(hall, clock, day, arrival, arrival.refusal or REFUSAL.UNKNOWN_FACILITY)
end

-- Brings the facility to today. Returns the key of the day before when people and requests of then still count.
local function reach_today(hall, clock, config)
  local eve = reach_day(hall, clock, config.day) and config.day or config.eve
  return eve == clock.day - 1 and day_key(hall, eve) or nil
end

-- What one scan needs of the day, read at once: this request, the people, the last numbers, the mark of arrivals.
local function read_day(hall, clock, arrival, queue)
  local key, persons = day_key(hall, clock.day), arrival.persons
  local found = redis.call('HMGET', key, 'r' .. arrival.request, 'p' .. (persons[1] or ''), 'p' .. (persons[2] or ''),
    'n' .. (queue and queue.id or ''), '#')
  local sequence, mark = 0, 0
  if found[5] then sequence, mark = cmsgpack.unpack(found[5]) end
  return {key = key, request = found[1], persons = {found[2] or '', found[3] or ''}, number = tonumber(found[4] or 0),
    sequence = sequence, mark = mark}
end

-- The same of the day before: a request delivered again after midnight, a person who kept the place over it.
local function read_eve(eve, arrival, day)
  local persons = arrival.persons
  local found = redis.call('HMGET', eve, 'r' .. arrival.request, 'p' .. (persons[1] or ''), 'p' .. (persons[2] or ''))
  day.request = day.request or found[1]
  day.kept = {found[2] or '', found[3] or ''}
end

local function answered_before(hall, clock, known)
  local ticket = known.id and load_ticket(hall, known.id)
  if not ticket then return no_place(known.outcome, known.refusal) end
  return place_reply(clock, known.outcome, known.id, ticket, ahead_of(hall, known.id, ticket))
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
    return REMOTE.TAKE, nil, NEARNESS.UNKNOWN
  end
  local policy = read_settings(config.policy)
  local nearness = how_near(config.place, policy[4], position)
  local verdict, refusal = REMOTE.TAKE, nil
  if nearness == NEARNESS.FAR and policy[1] > verdict then verdict, refusal = policy[1], REFUSAL.FAR end
  if assurance == ASSURANCE.STALE and policy[2] > verdict then verdict, refusal = policy[2], REFUSAL.STALE end
  if assurance == ASSURANCE.UNKNOWN and policy[3] > verdict then
    verdict, refusal = policy[3], REFUSAL.UNKNOWN_COUNTER
  end
  return verdict, verdict == REMOTE.REFUSE and refusal or nil, nearness
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
local function find_person(hall, day, arrival, queue)
  for i = 1, #arrival.persons do
    local ids = day.kept and day.persons[i] .. ',' .. day.kept[i] or day.persons[i]
    if ids ~= '' then
      local id, ticket, packed = living_here(hall, ids, queue)
      if id then return id, ticket, packed end
    end
  end
end

-- A person who comes again is here now: an expected or missed place counts from this scan on.
local function welcome_back(hall, clock, id, ticket, packed, verdict)
  local state = ticket[T.state]
  if verdict ~= REMOTE.TAKE or (state ~= STATE.EXPECTED and state ~= STATE.NO_SHOW) then return end
  local score = state == STATE.EXPECTED and order_at(clock.now, ticket[T.lane])
    or near_the_front(hall, ticket[T.queue], ticket[T.score])
  shift(hall, clock, id, ticket, packed, function(t)
    t[T.state] = STATE.WAITING
    t[T.score] = score
  end)
  tell(hall, 'returned', ticket[T.token], '', '')
end

local function known_person(hall, clock, day, arrival, id, ticket, packed, verdict)
  redis.call('XLEN', hall.owed)
  redis.call('XLEN', hall.news)
  welcome_back(hall, clock, id, ticket, packed, verdict)
  write_request(day.key, arrival.request, request_record(arrival.fingerprint, OUTCOME.SAME_PERSON, 0, id))
  owe_place(hall, clock, arrival,
    {outcome = OUTCOME.SAME_PERSON, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  return place_reply(clock, OUTCOME.SAME_PERSON, id, ticket, ahead_of(hall, id, ticket))
end

local function most_numbers(prefix)
  return 10 ^ (TOKEN_CHARS - #prefix - 1) - 1
end

-- The phone shows a number for half an hour, or half as long again as the slower of the last calls let expect.
local function shown_until(clock, ahead, pace)
  local slow_s = pace and cmsgpack.unpack(pace)[3] or 0
  return clock.now + math.max(SHOWN_MS, math.floor(1.5 * ahead * slow_s * 1000))
end

local function new_ticket(clock, arrival, queue, number, verdict, assurance, nearness, until_ms)
  local lane = arrival.lane
  return {queue.id, verdict == REMOTE.EXPECT and STATE.EXPECTED or STATE.WAITING, lane, assurance, nearness,
    string.format('%s-%03d', queue.prefix, number), clock.now, order_at(clock.now, lane) + number % ORDER_MS, '', 0, 0, 0, 0,
    arrival.request, until_ms, 1}
end

-- A person's tickets of the day with one more, the newest kept.
local function with_ticket(ids, id)
  if ids == '' then return id end
  local _, commas = string.gsub(ids, ',', ',')
  if commas + 1 >= TICKETS_A_PERSON then ids = string.match(ids, ',(.*)$') end
  return ids .. ',' .. id
end

-- Everything about the new place that belongs to the day, in one command.
local function write_day(day, arrival, id, ticket, sequence, mark)
  local fields = {'t' .. id, cmsgpack.pack(ticket), 'b' .. id, arrival.letter, 'n' .. ticket[T.queue], day.number + 1,
    '#', cmsgpack.pack(sequence, mark), 'r' .. arrival.request, request_record(arrival.fingerprint, OUTCOME.NEW, 0, id)}
  for i, person in ipairs(arrival.persons) do
    fields[#fields + 1] = 'p' .. person
    fields[#fields + 1] = with_ticket(day.persons[i], id)
  end
  redis.call('HSET', day.key, unpack(fields))
  if sequence == 1 then redis.call('EXPIRE', day.key, KEEP_DAY_S) end
end

-- The news go first: should the partition's debts be of a wrong type, nothing is left behind but a hint.
local function give_place(hall, clock, day, arrival, ticket, mark, ahead)
  local sequence = day.sequence + 1
  local id = string.format('%s-%d', text_of_day(clock.day), sequence)
  tell_arrival(hall)
  owe_place(hall, clock, arrival,
    {outcome = OUTCOME.NEW, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  write_day(day, arrival, id, ticket, sequence, mark)
  enter_set(hall, id, ticket, clock.now)
  if ticket[T.lane] ~= LANE.ORDINARY then ahead = ahead_of(hall, id, ticket) end
  return place_reply(clock, OUTCOME.NEW, id, ticket, ticket[T.state] == STATE.WAITING and ahead or 0)
end

local function enqueue(root, told, args, at)
  local hall = open_hall(root)
  local arrival = read_arrival(args, at)
  local config = read_config(hall, arrival.counter, arrival.text)
  local clock, wrong = clock_in(config.zone, told)
  if not clock then return wrong end
  if config.hip ~= arrival.facility then return foreign(hall, clock, arrival) end
  local queue, pace, assurance, closed = find_queue(hall, config, arrival.queue, arrival.counter, arrival.assurance)
  local eve = reach_today(hall, clock, config)
  local day = read_day(hall, clock, arrival, queue)
  if eve then read_eve(eve, arrival, day) end

  local known = known_answer(day.request, arrival.fingerprint)
  if known then return answered_before(hall, clock, known) end
  if arrival.refusal then return refuse(hall, clock, day.key, arrival, arrival.refusal) end
  local mark = admit(clock, day.mark, arrival.rate, arrival.burst)
  if not mark then return refuse(hall, clock, day.key, arrival, REFUSAL.BUSY) end
  if closed then return refuse(hall, clock, day.key, arrival, closed) end

  local verdict, refused, nearness = decide(config, assurance, arrival.position)
  local id, ticket, packed = find_person(hall, day, arrival, queue.id)
  if id then return known_person(hall, clock, day, arrival, id, ticket, packed, verdict) end
  if refused then return refuse(hall, clock, day.key, arrival, refused) end
  if day.number >= math.min(queue.limit, most_numbers(queue.prefix)) then
    return refuse(hall, clock, day.key, arrival, REFUSAL.QUEUE_FULL)
  end
  local ahead = redis.call('ZCARD', waiting_key(hall, queue.id))
  if verdict == REMOTE.EXPECT then redis.call('ZCARD', aside_key(hall, queue.id)) end
  ticket = new_ticket(clock, arrival, queue, day.number + 1, verdict, assurance, nearness,
    shown_until(clock, ahead, pace))
  return give_place(hall, clock, day, arrival, ticket, mark, ahead)
end

-- One of several: its error is its own answer. A command's error begins with its code, Lua's own has none.
local function enqueue_one(root, told, args, at)
  local fine, reply = pcall(enqueue, root, told, args, at)
  if fine then return reply end
  local words = type(reply) == 'table' and reply.err or tostring(reply)
  return {err = string.find(words, '^%u+ ') and words or 'ERR ' .. words}
end

register('enqueue', function(keys, args)
  local told = tell_time(args)
  -- Alone, its error is the call's: a cluster reads from it whether to ask again.
  if #keys == 1 then return {enqueue(keys[1], told, args, 2)} end
  local replies = {}
  for i, root in ipairs(keys) do replies[i] = enqueue_one(root, told, args, 2 + ARGUMENTS * (i - 1)) end
  return replies
end, {})
