-- Which queue a counter text leads to, and what is proved by it.

-- All that one scan needs of what the administrator set, read at once.
local function read_config(hall, proved, text)
  local named = proved ~= '' and proved or text
  local found = redis.call('HMGET', hall.config, 'hip', 'zone', 'policy', 'place', 'default', 'k:' .. named,
    'x:' .. text)
  return {hip = found[1], zone = found[2], policy = found[3], place = found[4], default = found[5] or '',
    named = named, counter = found[6], printed = found[7]}
end

-- Returns counter and assurance; nil when the text names none of ours. A printed text that was mapped wins.
local function find_counter(hall, config, proved, assurance)
  if proved == '' and config.printed then
    local counter = config_of(hall, 'k:' .. config.printed)
    if counter then return counter, ASSURANCE.POSTER end
  end
  if not config.counter or config.named == '' then return nil, ASSURANCE.UNKNOWN end
  return cmsgpack.unpack(config.counter), proved ~= '' and assurance or ASSURANCE.POSTER
end

-- Returns queue id, its settings, assurance, refusal.
local function find_queue(hall, config, asked, proved, assurance)
  local counter
  local queue = asked
  if queue == '' then
    counter, assurance = find_counter(hall, config, proved, assurance)
    queue = counter and counter.queues[1] or config.default
  end
  local settings = queue ~= '' and config_of(hall, 'q:' .. queue)
  if not settings then return nil, nil, assurance, REFUSAL.NO_QUEUE end
  if counter and not counter.open then return queue, settings, assurance, REFUSAL.CLOSED_COUNTER end
  if not settings.open then return queue, settings, assurance, REFUSAL.CLOSED_QUEUE end
  return queue, settings, assurance, nil
end
