--[[ targets: who is told of ticket events (webhooks, HL7), how far each target is, and which delivery role works. All
  keys are in one slot. Definition and progress are packed by queueing/targets.py; here they are only kept.
  KEYS   1 slot of the targets
  ARGV   targets_put:    id, packed target, packed progress of a new one or '', most targets, and of one that is changed
                         what it was before, packed
         targets_remove: id
         targets_read:   version that the caller knows
         targets_one:    id
         targets_change: id, generation that was read, packed progress
         targets_save:   holder of the lease, then of each target: id, generation that was read, packed progress, how
                         many deliveries, and each packed
         targets_lease:  holder, for how long (ms), a holder that has ended or ''
         targets_release: holder
  Reply  put: 1; 0 when there are too many, or when a target that is to be changed is gone; -1 when it changed meanwhile
         remove, release: how many were there
         read: {version, {{packed target, generation}, …}}; {version} when the caller knows it
         one: {packed target, generation, packed progress, {packed delivery, …} newest first}; {} when unknown
         change: the new generation; 0 when another wrote meanwhile
         save: {the new generation, or 0 when another wrote meanwhile or the target is gone, …}; {} without the lease
         lease: {1 when the caller has it else 0, its holder}
  Cost   O(targets named); read: O(all) when something changed
         The slot's keys:
           :all      hash    id -> packed target; at most as many as put allows
           :at:ID    hash    `g` generation: one more with each writing; `p` packed progress
           :log:ID   list    packed deliveries, newest first; LOG_KEPT
           :version  string  one more each time somebody but the role changed something
           :lease    string  name of the role that works; ends with the lease
           :facts    hash    what the role that works says of itself (queueing/targets.py) ]]

local LOG_KEPT = 100             -- deliveries that an administrator looks through

local function note_change(slot) return redis.call('INCR', slot .. ':version') end

local function write_progress(slot, id, generation, progress)
  local key = slot .. ':at:' .. id
  if redis.call('HGET', key, 'g') ~= generation then return 0 end
  redis.call('HSET', key, 'p', progress)
  return redis.call('HINCRBY', key, 'g', 1)
end

register('targets_put', function(keys, args)
  local slot, id, progress = keys[1], args[1], args[3]
  local exists = redis.call('HEXISTS', slot .. ':all', id) == 1
  if exists == (progress ~= '') then return 0 end
  if not exists then
    if redis.call('HLEN', slot .. ':all') >= tonumber(args[4]) then return 0 end
    redis.call('HSET', slot .. ':at:' .. id, 'g', 1, 'p', progress)
  end
  if exists and redis.call('HGET', slot .. ':all', id) ~= args[5] then return -1 end
  redis.call('HSET', slot .. ':all', id, args[2])
  note_change(slot)
  return 1
end, {})

register('targets_remove', function(keys, args)
  local slot, id = keys[1], args[1]
  redis.call('DEL', slot .. ':at:' .. id, slot .. ':log:' .. id)
  note_change(slot)
  return redis.call('HDEL', slot .. ':all', id)
end)

register('targets_read', function(keys, args)
  local slot = keys[1]
  local version = redis.call('GET', slot .. ':version') or '0'
  if version == args[1] then return {version} end
  local flat, found = redis.call('HGETALL', slot .. ':all'), {}
  for i = 1, #flat, 2 do
    found[#found + 1] = {flat[i + 1], tonumber(redis.call('HGET', slot .. ':at:' .. flat[i], 'g') or 0)}
  end
  return {version, found}
end, {'no-writes'})

register('targets_one', function(keys, args)
  local slot, id = keys[1], args[1]
  local packed = redis.call('HGET', slot .. ':all', id)
  if not packed then return {} end
  local at = redis.call('HMGET', slot .. ':at:' .. id, 'g', 'p')
  return {packed, tonumber(at[1] or 0), at[2] or '', redis.call('LRANGE', slot .. ':log:' .. id, 0, LOG_KEPT - 1)}
end, {'no-writes'})

register('targets_change', function(keys, args)
  local generation = write_progress(keys[1], args[1], args[2], args[3])
  if generation > 0 then note_change(keys[1]) end
  return generation
end)

local function add_deliveries(slot, id, args, from, count)
  if count == 0 then return end
  for i = from, from + count - 1 do redis.call('LPUSH', slot .. ':log:' .. id, args[i]) end
  redis.call('LTRIM', slot .. ':log:' .. id, 0, LOG_KEPT - 1)
end

register('targets_save', function(keys, args)
  local slot = keys[1]
  if redis.call('GET', slot .. ':lease') ~= args[1] then return {} end
  local generations, i = {}, 2
  while i < #args do
    local id, count = args[i], tonumber(args[i + 3])
    local generation = write_progress(slot, id, args[i + 1], args[i + 2])
    if generation > 0 then add_deliveries(slot, id, args, i + 4, count) end
    generations[#generations + 1] = generation
    i = i + 4 + count
  end
  return generations
end)

register('targets_lease', function(keys, args)
  local key = keys[1] .. ':lease'
  local holder = redis.call('GET', key)
  if holder and holder ~= args[1] and holder ~= args[3] then return {0, holder} end
  redis.call('SET', key, args[1], 'PX', args[2])
  return {1, args[1]}
end)

register('targets_release', function(keys, args)
  local key = keys[1] .. ':lease'
  if redis.call('GET', key) ~= args[1] then return 0 end
  return redis.call('DEL', key)
end)
