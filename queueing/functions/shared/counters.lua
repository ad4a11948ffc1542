-- Which queue a counter text leads to, and what it proves.

-- What a scan needs of the facility, read at once in this order. `printed` is read where no counter is proved.
local C = {hip = 1, zone = 2, policy = 3, place = 4, day = 5, eve = 6, queue = 7, pace = 8, counter = 9, printed = 10}

-- `likely`: the queue to which this text led the last time, read with the rest; '' for none.
local function read_config(facility, proved, text, likely)
  if proved ~= '' then
    return redis.call('HMGET', facility.record, 'hip', 'zone', 'policy', 'place', 'day', 'eve', 'q:' .. likely,
      'pace:' .. likely, 'k:' .. proved)
  end
  return redis.call('HMGET', facility.record, 'hip', 'zone', 'policy', 'place', 'day', 'eve', 'q:' .. likely,
    'pace:' .. likely, 'k:' .. text, 'x:' .. text)
end

-- Returns counter and assurance; nil when the text names no counter. A mapped printed text wins.
local function find_counter(facility, config, proved, assurance)
  if config[C.printed] then
    local counter = config_of(facility, 'k:' .. config[C.printed])
    if counter then return counter, ASSURANCE.POSTER end
  end
  if not config[C.counter] then return nil, ASSURANCE.UNKNOWN end
  return read_settings(config[C.counter]), proved ~= '' and assurance or ASSURANCE.POSTER
end

-- An old poster of this facility: its text is the id or the prefix of a queue, or a counter of that prefix which no
-- longer exists (`M7`). Returns the queue id. Texts of other systems, such as UUIDs, cost nothing here.
local function queue_of_old_poster(facility, text)
  local prefix = string.match(text, '^(%a+)%d*$')
  if not prefix then return nil end
  for _, id in ipairs(queue_ids(facility)) do
    local queue = config_of(facility, 'q:' .. id)
    if string.upper(queue.prefix) == prefix or string.upper(id) == text then return id end
  end
end

-- A queue's settings and its packed pace; nil when it does not exist.
local function read_queue(facility, config, id, likely)
  local packed, pace = config[C.queue], config[C.pace]
  if id ~= likely then packed, pace = unpack(redis.call('HMGET', facility.record, 'q:' .. id, 'pace:' .. id)) end
  if packed then return read_settings(packed), pace end
end

-- Whether the queue's own hours take people now. `hours`: opening and closing in turn, minutes from Monday's midnight;
-- a span belongs to the day on which it begins, and none begins on a holiday. queueing/opening_hours.py says the rest.
local function within_hours(facility, clock, hours)
  local day_min = 1440
  local week_min, thursday = 7 * day_min, 3 * day_min  -- 1970 began on a Thursday
  local minute = math.floor((clock.now + clock.offset) / MINUTE_MS)
  for i = 1, #hours, 2 do
    local since = (minute + thursday - hours[i]) % week_min
    if since < hours[i + 1] - hours[i] then
      local began, packed = math.floor((minute - since) / day_min), redis.call('HGET', facility.record, 'holidays')
      for _, holiday in ipairs(packed and read_settings(packed) or {}) do
        if holiday[1] == began then return false end
      end
      return true
    end
  end
  return false
end

-- Returns the queue, its packed pace, assurance, refusal, and whether only its hours closed it. `wanted`: a queue id
-- that wins over counter and text. `likely`: as in read_config. Without `clock` the hours do not matter.
local function find_queue(facility, config, wanted, likely, proved, assurance, text, clock)
  local counter
  if wanted == '' then
    counter, assurance = find_counter(facility, config, proved, assurance)
    wanted = counter and counter.queues[1] or ''
    if wanted == '' and proved == '' then
      wanted = queue_of_old_poster(facility, text) or ''
      if wanted ~= '' then assurance = ASSURANCE.POSTER end
    end
    if wanted == '' then wanted = redis.call('HGET', facility.record, 'default') or '' end
  end
  if wanted == '' then return nil, nil, assurance, REFUSAL.NO_QUEUE end
  local queue, pace = read_queue(facility, config, wanted, likely)
  if not queue then return nil, nil, assurance, REFUSAL.NO_QUEUE end
  if counter and not counter.open then return queue, pace, assurance, REFUSAL.CLOSED_COUNTER end
  if not queue.open then return queue, pace, assurance, REFUSAL.CLOSED_QUEUE end
  if queue.hours and clock and not within_hours(facility, clock, queue.hours) then
    return queue, pace, assurance, REFUSAL.CLOSED_QUEUE, true
  end
  return queue, pace, assurance, nil
end
