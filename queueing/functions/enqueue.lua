--[[ enqueue: give one person one place in one queue, and owe the gateway the answer.
  KEYS   1 root of the facility
  ARGV   1-4 clock (shared/clock.lua)   5 request digest, hex   6 fingerprint of the body, 8 bytes or ''
         7 counter proved by a signed code or ''   8 counter text, upper case   9 queue id or ''
         10 assurance   11 'latitude longitude' of the phone or ''   12 lane   13 refusal given at the door, 0 none
         14 sealed profile   15 sealed note; '' owes nothing   16 places a second   17 places at once
         18, 19 person digests or ''   20 hip id
  Reply  {outcome, ticket id, token, queue, state, ahead, expires in s, refusal}
  Cost   O(log n) of the queue, about 20 commands; once a day O(tickets alive) for the new day
  Same request id again: the same answer, nothing is written. Same person again: the same number, its own debt.
  All is read and checked before the first write, so that an error leaves nothing half done. ]]

local SHOWN_MS = 30 * MINUTE_MS          -- the ABHA app shows a token this long (ABDM test case), at least
local SHOWN_AT_LEAST_S = 60              -- a second scan after that still shows it for a minute
local SHOWN_AT_MOST_S = 86400
local TICKETS_A_PERSON = 8               -- one person in this many queues of one hospital on one day

local function shown_s(ticket, clock)
  local left = math.floor((ticket[T.shown_until] - clock.now) / 1000)
  return math.min(SHOWN_AT_MOST_S, math.max(SHOWN_AT_LEAST_S, left))
end

local function place_reply(hall, clock, outcome, id, ticket, refusal)
  if not ticket then return {outcome, '', '', '', 0, 0, 0, refusal or 0} end
  return {outcome, id, ticket[T.token], ticket[T.queue], ticket[T.state], ahead_of(hall, id, ticket),
    shown_s(ticket, clock), refusal or 0}
end

-- The same step for every refusal: the patient must hear it on the phone.
local function refuse(hall, clock, requests, args, refusal)
  redis.call('XLEN', hall.owed)
  write_request(requests, args[5], args[6], OUTCOME.REFUSED, refusal, '')
  owe(hall, clock, DEBT.ON_SHARE, args[5], args[15], {outcome = OUTCOME.REFUSED, refusal = refusal})
  return {OUTCOME.REFUSED, '', '', '', 0, 0, 0, refusal}
end

-- Metres to a degree. On the few kilometres that matter the earth is flat: the error is below one in a thousand.
local DEGREE_M = 111320

local function how_near(hall, policy, position)
  local latitude, longitude = string.match(position, '^(%S+) (%S+)$')
  local facility = latitude and config_of(hall, 'facility')
  if not facility or type(facility.latitude) ~= 'number' or type(facility.longitude) ~= 'number' then
    return NEARNESS.UNKNOWN
  end
  local north = (tonumber(latitude) - facility.latitude) * DEGREE_M
  local east = (tonumber(longitude) - facility.longitude) * DEGREE_M * math.cos(math.rad(facility.latitude))
  return math.sqrt(north * north + east * east) <= policy.near_m and NEARNESS.NEAR or NEARNESS.FAR
end

-- What the facility's policy makes of doubt: take, expect (counts from check-in), or refuse and why.
local function decide(policy, assurance, nearness)
  local worst, refusal = REMOTE.TAKE, nil
  local function doubt(verdict, why)
    if verdict > worst then worst, refusal = verdict, why end
  end
  if nearness == NEARNESS.FAR then doubt(policy.far, REFUSAL.FAR) end
  if assurance == ASSURANCE.STALE then doubt(policy.stale, REFUSAL.STALE) end
  if assurance == ASSURANCE.UNKNOWN then doubt(policy.unknown, REFUSAL.UNKNOWN_COUNTER) end
  return worst, worst == REMOTE.REFUSE and refusal or nil
end

-- A bucket per facility (GCRA): returns the new mark, or nil when the facility takes too many at once.
local function admit(hall, clock, rate, burst)
  local mark = tonumber(redis.call('HGET', hall.state, 'rate') or 0)
  local step = 1000 / rate
  local moved = math.max(mark, clock.now) + step
  if moved - clock.now > step * burst then return nil end
  return moved
end

-- The living ticket of this person in this queue, and everything known of the person today.
local function find_person(hall, today, yesterday, digests, queue)
  local known = ''
  for _, keys in ipairs({today, yesterday}) do
    for _, digest in ipairs(digests) do
      local ids = redis.call('HGET', keys.persons, digest)
      if ids then
        if keys == today and #ids > #known then known = ids end
        for id in string.gmatch(ids, '[^,]+') do
          local ticket, packed = load_ticket(hall, id)
          if ticket and LIVING[ticket[T.state]] and ticket[T.queue] == queue then return known, id, ticket, packed end
        end
      end
    end
  end
  return known
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

local function known_person(hall, clock, today, args, id, ticket, packed, verdict)
  redis.call('XLEN', hall.owed)
  redis.call('XLEN', hall.news)
  welcome_back(hall, clock, id, ticket, packed, verdict)
  write_request(today.requests, args[5], args[6], OUTCOME.SAME_PERSON, 0, id)
  owe(hall, clock, DEBT.ON_SHARE, args[5], args[15],
    {outcome = OUTCOME.SAME_PERSON, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  return place_reply(hall, clock, OUTCOME.SAME_PERSON, id, ticket)
end

local TOKEN_CHARS = 8                    -- what an app shows of a token number without cutting it

local function most_numbers(prefix)
  return 10 ^ (TOKEN_CHARS - #prefix - 1) - 1
end

-- Arrival less head start. Many arrive in one millisecond; the number's share of it keeps them in the order of numbers.
local function order_score(clock, lane, number)
  return clock.now - HEAD_START_MS[lane] + (number % 1024) / 1024
end

local function new_ticket(hall, clock, args, queue, config, number, verdict, assurance, nearness)
  local lane = tonumber(args[12])
  local ahead = redis.call('ZCARD', waiting_key(hall, queue))
  local wait_ms = ahead * pace_of(hall, queue)[3] * 1000
  return {queue, verdict == REMOTE.EXPECT and STATE.EXPECTED or STATE.WAITING, lane, assurance, nearness,
    string.format('%s-%03d', config.prefix, number), clock.now, order_score(clock, lane, number), '', 0, 0, 0, 0,
    args[5], clock.now + math.max(SHOWN_MS, math.floor(1.5 * wait_ms)), 0}
end

local function write_person(today, digests, known, id)
  local ids = known == '' and id or known .. ',' .. id
  local _, commas = string.gsub(ids, ',', ',')
  if commas >= TICKETS_A_PERSON then ids = string.match(ids, ',(.*)$') end
  for _, digest in ipairs(digests) do redis.call('HSET', today.persons, digest, ids) end
end

local function write_place(hall, clock, today, args, id, ticket, digests, known)
  redis.call('HSET', today.bodies, id, args[14])
  save_ticket(hall, id, ticket, clock.now)
  write_request(today.requests, args[5], args[6], OUTCOME.NEW, 0, id)
  write_person(today, digests, known, id)
  owe(hall, clock, DEBT.ON_SHARE, args[5], args[15],
    {outcome = OUTCOME.NEW, token = ticket[T.token], expires_s = shown_s(ticket, clock)})
  tell(hall, 'new', ticket[T.token], '', '')
end

local function check_before_writing(hall, today, queue)
  redis.call('HLEN', today.tickets)
  redis.call('HLEN', today.bodies)
  redis.call('ZCARD', aside_key(hall, queue))
  redis.call('XLEN', hall.owed)
  redis.call('XLEN', hall.news)
end

local function end_day_keys(today)
  for _, key in pairs({today.tickets, today.bodies, today.persons, today.numbers}) do
    redis.call('EXPIRE', key, KEEP_DAY_S)
  end
end

local function enqueue(keys, args)
  local hall = open_hall(keys[1])
  local clock, wrong = read_clock(hall, args)
  if not clock then return wrong end
  local foreign = redis.call('HGET', hall.config, 'hip') ~= args[20]
  if foreign then
    local requests = partition_of(keys[1]) .. ':x:' .. clock.day .. ':r'
    local known = known_answer({requests}, args[5], args[6])
    if known then return place_reply(hall, clock, known.outcome, nil, nil, known.refusal) end
    local given = tonumber(args[13])
    return refuse(hall, clock, requests, args, given > 0 and given or REFUSAL.UNKNOWN_FACILITY)
  end

  begin_day(hall, clock)
  local today, yesterday = day_keys(hall.root, clock.day), day_keys(hall.root, clock.day - 1)
  local known = known_answer({today.requests, yesterday.requests}, args[5], args[6])
  if known then
    return place_reply(hall, clock, known.outcome, known.id, known.id and load_ticket(hall, known.id), known.refusal)
  end
  local given = tonumber(args[13])
  if given > 0 then return refuse(hall, clock, today.requests, args, given) end

  local mark = admit(hall, clock, tonumber(args[16]), tonumber(args[17]))
  if not mark then return refuse(hall, clock, today.requests, args, REFUSAL.BUSY) end
  local queue, config, _, assurance, closed = find_queue(hall, args[9], args[7], args[8], tonumber(args[10]))
  if closed then return refuse(hall, clock, today.requests, args, closed) end

  local policy = config_of(hall, 'policy')
  local nearness = how_near(hall, policy, args[11])
  local verdict, refused = decide(policy, assurance, nearness)
  local digests = {}
  for _, digest in ipairs({args[18], args[19]}) do
    if digest ~= '' then digests[#digests + 1] = digest end
  end
  local of_person, id, ticket, packed = find_person(hall, today, yesterday, digests, queue)
  if ticket then
    redis.call('HSET', hall.state, 'rate', mark)
    return known_person(hall, clock, today, args, id, ticket, packed, verdict)
  end
  if refused then return refuse(hall, clock, today.requests, args, refused) end

  local number = tonumber(redis.call('HGET', today.numbers, queue) or 0) + 1
  if number > math.min(config.limit, most_numbers(config.prefix)) then return refuse(hall, clock, today.requests, args, REFUSAL.QUEUE_FULL) end
  ticket = new_ticket(hall, clock, args, queue, config, number, verdict, assurance, nearness)
  check_before_writing(hall, today, queue)

  local sequence = redis.call('HINCRBY', today.numbers, '#', 1)
  id = clock.day .. '-' .. sequence
  redis.call('HSET', today.numbers, queue, number)
  redis.call('HSET', hall.state, 'rate', mark)
  write_place(hall, clock, today, args, id, ticket, digests, of_person)
  if sequence == 1 then end_day_keys(today) end
  return place_reply(hall, clock, OUTCOME.NEW, id, ticket)
end

register('enqueue', enqueue, {})
