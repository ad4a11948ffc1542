--[[ configure: what an administrator sets; it takes effect with the next call of every process.
  KEYS   1 root
  ARGV   1 to 4 act for the audit: kind ('': not recorded), login, address, why. It is recorded with the change
         5 act, then its own:
         facility  hip id, packed facility, packed policy, time zone or '', packed {latitude, longitude} or ''
         queue     queue id, packed queue, then name and packed counter of each counter to add when missing
         counter   name, packed counter
         default   queue id
         policy    packed rules (shared/policy.lua)
         networks  packed list of texts
         text      printed text, counter name ('' forgets)
         copy      packed templates for copying profiles, which queueing does not read
         copied    three for each thing of another facility (facility_copy.py): 'queue', id, packed; 'counter', name,
                   packed; 'policy', packed rules that it may replace, packed; 'default', queue id, ''
                   Only what is missing is added.
  Reply  1; 'PREFIX' when another queue of this facility has the prefix, 'QUEUE'/'COUNTER' when it does not exist,
         'FACILITY' when the facility is not registered
  Cost   O(queues of the facility) ]]

local function add_to_list(facility, field, name)
  local packed = redis.call('HGET', facility.record, field)
  local names = packed and cmsgpack.unpack(packed) or {}
  for _, known in ipairs(names) do
    if known == name then return end
  end
  names[#names + 1] = name
  redis.call('HSET', facility.record, field, cmsgpack.pack(names))
end

local ACTS = {}

function ACTS.facility(facility, args)
  redis.call('HSET', facility.record, 'hip', args[2], 'facility', args[3])
  redis.call('HSETNX', facility.record, 'policy', args[4])
  for i, field in ipairs({'zone', 'place'}) do
    if args[4 + i] == '' then
      redis.call('HDEL', facility.record, field)
    else
      redis.call('HSET', facility.record, field, args[4 + i])
    end
  end
  return 1
end

function ACTS.queue(facility, args)
  local id, queue = args[2], cmsgpack.unpack(args[3])
  for _, other in ipairs(queue_ids(facility)) do
    if other ~= id and config_of(facility, 'q:' .. other).prefix == queue.prefix then return 'PREFIX' end
  end
  redis.call('HSET', facility.record, 'q:' .. id, args[3])
  redis.call('HSETNX', facility.record, 'default', id)
  add_to_list(facility, 'queues', id)
  for i = 4, #args, 2 do
    redis.call('HSETNX', facility.record, 'k:' .. args[i], args[i + 1])
    add_to_list(facility, 'counters', args[i])
  end
  return 1
end

function ACTS.counter(facility, args)
  for _, queue in ipairs(cmsgpack.unpack(args[3]).queues) do
    if not config_of(facility, 'q:' .. queue) then return 'QUEUE' end
  end
  redis.call('HSET', facility.record, 'k:' .. args[2], args[3])
  add_to_list(facility, 'counters', args[2])
  return 1
end

ACTS['default'] = function(facility, args)
  if not config_of(facility, 'q:' .. args[2]) then return 'QUEUE' end
  redis.call('HSET', facility.record, 'default', args[2])
  return 1
end

function ACTS.policy(facility, args)
  redis.call('HSET', facility.record, 'policy', args[2])
  return 1
end

function ACTS.networks(facility, args)
  redis.call('HSET', facility.record, 'networks', args[2])
  return 1
end

function ACTS.copy(facility, args)
  redis.call('HSET', facility.record, 'copy', args[2])
  return 1
end

function ACTS.text(facility, args)
  if args[3] == '' then
    redis.call('HDEL', facility.record, 'x:' .. args[2])
    return 1
  end
  if not config_of(facility, 'k:' .. args[3]) then return 'COUNTER' end
  redis.call('HSET', facility.record, 'x:' .. args[2], args[3])
  return 1
end

-- Two queues never share a prefix, and a counter never names a queue that is not there.
function ACTS.copied(facility, args)
  local had_default = redis.call('HEXISTS', facility.record, 'default') == 1
  local add = {
    queue = function(id, packed)
      if not config_of(facility, 'q:' .. id) then ACTS.queue(facility, {'', id, packed}) end
    end,
    counter = function(name, packed)
      if not config_of(facility, 'k:' .. name) then ACTS.counter(facility, {'', name, packed}) end
    end,
    policy = function(old, packed)
      if redis.call('HGET', facility.record, 'policy') == old then ACTS.policy(facility, {'', packed}) end
    end,
    default = function(queue)
      if not had_default then ACTS['default'](facility, {'', queue}) end
    end,
  }
  for i = 2, #args, 3 do add[args[i]](args[i + 1], args[i + 2]) end
  return 1
end

register('configure', function(keys, args)
  local facility = open_facility(keys[1])
  if args[5] ~= 'facility' and redis.call('HEXISTS', facility.record, 'hip') == 0 then return 'FACILITY' end
  local done = ACTS[args[5]](facility, {select(5, unpack(args))})
  if done == 1 then
    announce_change(facility, 'configured', '', '', '')
    record_given_act(facility, args, 1)
  end
  return done
end, {})
