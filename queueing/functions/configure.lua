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
         holidays  packed list of {day, name}; '' goes back to none
         copy      packed templates for copying profiles, which queueing does not read; '' goes back to none
         printers  packed printers of slips, which the functions do not read; '' goes back to none
         copied    three for each thing of another facility (facility_copy.py): 'queue', id, packed; 'counter', name,
                   packed; 'policy', packed rules that it may replace, packed; 'default', queue id, ''
                   Only what is missing is added.
         take-back kind of setting (one of the acts above), mark of its last change: sets what was set before it
  Reply  1; 'PREFIX' when another queue of this facility has the prefix, 'QUEUE'/'COUNTER' when it does not exist,
         'FACILITY' when the facility is not registered, 'CHANGED' when the change to take back is not the last
  Cost   O(queues of the facility)
  The last change of each kind is kept (shared/last_change.lua). Taking it back is a change too, so it can be taken back
  itself; but what was removed (remove.lua) and is set again has nothing before it. ]]

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

local function set_or_clear(facility, field, value)
  if value == '' then
    redis.call('HDEL', facility.record, field)
  else
    redis.call('HSET', facility.record, field, value)
  end
  return 1
end

function ACTS.networks(facility, args) return set_or_clear(facility, 'networks', args[2]) end

function ACTS.holidays(facility, args) return set_or_clear(facility, 'holidays', args[2]) end

function ACTS.copy(facility, args) return set_or_clear(facility, 'copy', args[2]) end

function ACTS.printers(facility, args) return set_or_clear(facility, 'printers', args[2]) end

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

-- Act -> the arguments that would set what is set now; nil for what is new: taking back removes no queue or counter.
local NOW = {}

local function set_now(facility, field) return redis.call('HGET', facility.record, field) end

function NOW.facility(facility, args)
  local was = set_now(facility, 'facility')
  return was and {'facility', args[2], was, args[4], set_now(facility, 'zone') or '', set_now(facility, 'place') or ''}
end

function NOW.queue(facility, args)
  local was = set_now(facility, 'q:' .. args[2])
  return was and {'queue', args[2], was}
end

function NOW.counter(facility, args)
  local was = set_now(facility, 'k:' .. args[2])
  return was and {'counter', args[2], was}
end

NOW['default'] = function(facility)
  local was = set_now(facility, 'default')
  return was and {'default', was}
end

function NOW.policy(facility) return {'policy', set_now(facility, 'policy')} end

function NOW.networks(facility) return {'networks', set_now(facility, 'networks') or ''} end

function NOW.holidays(facility) return {'holidays', set_now(facility, 'holidays') or ''} end

function NOW.copy(facility) return {'copy', set_now(facility, 'copy') or ''} end

function NOW.printers(facility) return {'printers', set_now(facility, 'printers') or ''} end

function NOW.text(facility, args) return {'text', args[2], set_now(facility, 'x:' .. args[2]) or ''} end

NOW.copied = NOW.policy

local function differ(before, after)
  for i, value in ipairs(before) do
    if value ~= after[i] then return true end
  end
  return false
end

local function change(facility, args, login)
  local now = NOW[args[1]]
  local before = now(facility, args)
  local done = ACTS[args[1]](facility, args)
  if done == 1 and before and differ(before, now(facility, args)) then
    remember_change(facility, before, login)
  end
  return done, before
end

local function take_back(facility, kind, mark, login)
  local packed = redis.call('HGET', facility.record, 'was:' .. kind)
  local last = packed and cmsgpack.unpack(packed)
  if not last or last[1] ~= mark then return 'CHANGED' end
  local done, before = change(facility, last[4], login)
  if done == 1 and not before then redis.call('HDEL', facility.record, 'was:' .. kind) end
  return done
end

register('configure', function(keys, args)
  local facility, own = open_facility(keys[1]), {select(5, unpack(args))}
  if own[1] ~= 'facility' and redis.call('HEXISTS', facility.record, 'hip') == 0 then return 'FACILITY' end
  local done
  if own[1] == 'take-back' then
    done = take_back(facility, own[2], own[3], args[2])
  else
    done = change(facility, own, args[2])
  end
  if done == 1 then
    announce_change(facility, 'configured', '', '', '')
    record_given_act(facility, args, 1)
  end
  return done
end, {})

-- last_changes: KEYS 1 root; no ARGV. Reply {{kind, mark, when ms, login, arguments of before, …}, …}; reads only.
register('last_changes', function(keys)
  local facility, found = open_facility(keys[1]), {}
  for kind in pairs(NOW) do
    local packed = redis.call('HGET', facility.record, 'was:' .. kind)
    if packed then
      local last = cmsgpack.unpack(packed)
      found[#found + 1] = {kind, last[1], last[2], last[3], unpack(last[4])}
    end
  end
  return found
end, {'no-writes'})
