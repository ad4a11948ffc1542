-- Which queue a counter text leads to, and what is proved by it.

-- Returns counter config, counter name and assurance; nil when the text names none of ours.
local function find_counter(hall, proved, text, assurance)
  if proved ~= '' then
    local counter = config_of(hall, 'k:' .. proved)
    if counter then return counter, proved, assurance end
    return nil, '', ASSURANCE.UNKNOWN
  end
  if text == '' then return nil, '', ASSURANCE.UNKNOWN end
  local name = redis.call('HGET', hall.config, 'x:' .. text) or text
  local counter = config_of(hall, 'k:' .. name)
  if counter then return counter, name, ASSURANCE.POSTER end
  return nil, '', ASSURANCE.UNKNOWN
end

-- Returns queue id, its config, counter name, assurance, refusal.
local function find_queue(hall, asked, proved, text, assurance)
  local counter, name
  local queue = asked
  if queue == '' then
    counter, name, assurance = find_counter(hall, proved, text, assurance)
    queue = counter and counter.queues[1] or redis.call('HGET', hall.config, 'default') or ''
  end
  local config = queue ~= '' and config_of(hall, 'q:' .. queue)
  if not config then return nil, nil, '', assurance, REFUSAL.NO_QUEUE end
  if counter and not counter.open then return queue, config, name, assurance, REFUSAL.CLOSED_COUNTER end
  if not config.open then return queue, config, name or '', assurance, REFUSAL.CLOSED_QUEUE end
  return queue, config, name or '', assurance, nil
end
