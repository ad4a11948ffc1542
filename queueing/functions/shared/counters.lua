-- Which queue a counter text leads to, and what is proved by it.

-- All that one scan needs of the facility, read at once: these, in this order.
local C = {hip = 1, zone = 2, policy = 3, place = 4, default = 5, counter = 6, printed = 7, day = 8, eve = 9}

local function read_config(facility, proved, text)
  local named = proved ~= '' and proved or text
  return redis.call('HMGET', facility.record, 'hip', 'zone', 'policy', 'place', 'default', 'k:' .. named, 'x:' .. text,
    'day', 'eve')
end

-- Returns counter and assurance; nil when the text names none of ours. A printed text that was mapped wins.
local function find_counter(facility, config, proved, assurance)
  if proved == '' and config[C.printed] then
    local counter = config_of(facility, 'k:' .. config[C.printed])
    if counter then return counter, ASSURANCE.POSTER end
  end
  if not config[C.counter] then return nil, ASSURANCE.UNKNOWN end
  return read_settings(config[C.counter]), proved ~= '' and assurance or ASSURANCE.POSTER
end

-- A queue's settings and its packed pace; nil when there is none such.
local function read_queue(facility, id)
  local found = redis.call('HMGET', facility.record, 'q:' .. id, 'pace:' .. id)
  if found[1] then return read_settings(found[1]), found[2] end
end

-- Returns the queue, its packed pace, assurance, refusal.
local function find_queue(facility, config, asked, proved, assurance)
  local counter
  if asked == '' then
    counter, assurance = find_counter(facility, config, proved, assurance)
    asked = counter and counter.queues[1] or config[C.default] or ''
  end
  if asked == '' then return nil, nil, assurance, REFUSAL.NO_QUEUE end
  local queue, pace = read_queue(facility, asked)
  if not queue then return nil, nil, assurance, REFUSAL.NO_QUEUE end
  if counter and not counter.open then return queue, pace, assurance, REFUSAL.CLOSED_COUNTER end
  if not queue.open then return queue, pace, assurance, REFUSAL.CLOSED_QUEUE end
  return queue, pace, assurance, nil
end
