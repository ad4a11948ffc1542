--[[ remove: a queue or a counter that nobody uses. Two acts.
  KEYS   1 root
  ARGV   1 clock   2 queue id or counter name   3 to 6 act for the audit: kind ('': not recorded), login, address, why
  Reply  1; QUEUE or COUNTER when it does not exist; else what uses it:
         remove_queue: NUMBERS (given today, or somebody in it), SERVED (by a counter), SCREEN (a paired one shows it),
         DEFAULT (of several queues)
         remove_counter: DESK (an open one), PERSON (called to it or served there), CALLED (to it today), TEXT (a
         printed one leads to it), SCREEN (a paired one shows its codes)
  Cost   O(queues and counters + screens + open desks + last calls)
  What was removed is the last change of its kind of setting (shared/last_change.lua), so it can be taken back; it comes
  back at the end of the list. ]]

local function take_from_list(facility, field, name)
  local left = {}
  local packed = redis.call('HGET', facility.record, field)
  for _, known in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if known ~= name then left[#left + 1] = known end
  end
  if #left == 0 then
    redis.call('HDEL', facility.record, field)
  else
    redis.call('HSET', facility.record, field, cmsgpack.pack(left))
  end
end

local function contains(list, wanted)
  for _, one in ipairs(list or {}) do
    if one == wanted then return true end
  end
  return false
end

local function on_a_screen(facility, is_shown)
  for _, packed in ipairs(redis.call('HVALS', facility.root .. ':s')) do
    if is_shown(cmsgpack.unpack(packed)) then return true end
  end
  return false
end

local function use_of_queue(facility, clock, id)
  local today = day_key(facility, clock.day)
  local issued = tonumber(redis.call('HGET', today, 'n' .. id) or 0) > 0
  local reserved = redis.call('HEXISTS', today, 'c' .. id) == 1
  local living = redis.call('ZCARD', waiting_key(facility, id)) + redis.call('ZCARD', aside_key(facility, id)) > 0
  if issued or reserved or living then return 'NUMBERS' end
  for _, name in ipairs(counter_names(facility)) do
    if contains(config_of(facility, 'k:' .. name).queues, id) then return 'SERVED' end
  end
  if on_a_screen(facility, function(screen) return contains(screen.queues, id) end) then return 'SCREEN' end
  local is_default = redis.call('HGET', facility.record, 'default') == id
  if is_default and #queue_ids(facility) > 1 then return 'DEFAULT' end
end

local function was_called_to(facility, name)
  local keys = {calls_key(facility)}
  for _, queue in ipairs(queue_ids(facility)) do keys[#keys + 1] = queue_calls_key(facility, queue) end
  for _, key in ipairs(keys) do
    for _, line in ipairs(redis.call('LRANGE', key, 0, -1)) do
      if cmsgpack.unpack(line)[CALL.counter] == name then return true end
    end
  end
  return false
end

local function leads_there(facility, name)
  local record = redis.call('HGETALL', facility.record)
  for i = 1, #record, 2 do
    if string.sub(record[i], 1, 2) == 'x:' and record[i + 1] == name then return true end
  end
  return false
end

local function use_of_counter(facility, name)
  local is_open = false
  each_seat(facility, present_ms(), function(_, seat, is_gone)
    if not is_gone and seat[SEAT.counter] == name then is_open = true end
  end)
  if is_open then return 'DESK' end
  if at_counter(facility, name) ~= '' then return 'PERSON' end
  if was_called_to(facility, name) then return 'CALLED' end
  if leads_there(facility, name) then return 'TEXT' end
  if on_a_screen(facility, function(screen) return screen.counter == name end) then return 'SCREEN' end
end

local function removed(facility, args, before)
  remember_change(facility, before, args[4])
  announce_change(facility, 'configured', '', '', '')
  record_given_act(facility, args, 3)
  return 1
end

register('remove_queue', function(keys, args)
  local facility, id = open_facility(keys[1]), args[2]
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local packed = redis.call('HGET', facility.record, 'q:' .. id)
  if not packed then return 'QUEUE' end
  begin_day(facility, clock)
  local use = use_of_queue(facility, clock, id)
  if use then return use end
  if redis.call('HGET', facility.record, 'default') == id then redis.call('HDEL', facility.record, 'default') end
  take_from_list(facility, 'queues', id)
  redis.call('HDEL', facility.record, 'q:' .. id, 'pace:' .. id, 'called:' .. id)
  redis.call('DEL', queue_calls_key(facility, id), pace_key(facility, id))
  return removed(facility, args, {'queue', id, packed})
end)

register('remove_counter', function(keys, args)
  local facility, name = open_facility(keys[1]), args[2]
  local clock, wrong = read_clock(facility, args)
  if not clock then return wrong end
  local packed = redis.call('HGET', facility.record, 'k:' .. name)
  if not packed then return 'COUNTER' end
  begin_day(facility, clock)
  local use = use_of_counter(facility, name)
  if use then return use end
  take_from_list(facility, 'counters', name)
  redis.call('HDEL', facility.record, 'k:' .. name, 'b:' .. name)
  return removed(facility, args, {'counter', name, packed})
end)
