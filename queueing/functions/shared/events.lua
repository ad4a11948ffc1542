-- What others read: change hints for screens, the event log for every other consumer, pending replies for the relay.
-- No patient data is in any of them, but for the sealed envelope of a pending reply.

-- A hint that something changed here. The field `f` comes first: a screen's reader looks at nothing else.
local function announce_change(facility, kind, token, counter, by)
  redis.call('XADD', facility.changes, 'MAXLEN', '~', CHANGES_KEPT, '*', 'f', facility.name, 'k', kind, 'n', token,
    'c', counter, 'b', by)
end

-- One hint for all arrivals of a call, in the partition of the first. If it cannot be written, the places still count.
-- Old hints are dropped once in a while, by the clock.
local function announce_arrivals(facilities, clock)
  local first, fields = facilities[1], {}
  for i, facility in ipairs(facilities) do
    fields[2 * i - 1], fields[2 * i] = 'f', facility.name
  end
  if clock.now % TRIM_ONCE_IN == 0 then
    redis.pcall('XTRIM', first.changes, 'MAXLEN', '~', CHANGES_KEPT)
    redis.pcall('XTRIM', first.events, 'MAXLEN', '~', EVENTS_KEPT)
  end
  redis.pcall('XADD', first.changes, '*', unpack(fields))
end

-- The event log, read by queueing/event_log.py: `t` is the packed ticket after the event. A scan writes no further
-- fields, because each costs time: its kind is CREATED and its time is the arrival.
-- redis.pcall: the state change is already written and must not be reported as failed.
local function record_arrival(facility, id, packed, by)
  if by and by ~= '' then
    redis.pcall('XADD', facility.events, '*', 'f', facility.name, 'i', id, 't', packed, 'b', by)
  else
    redis.pcall('XADD', facility.events, '*', 'f', facility.name, 'i', id, 't', packed)
  end
end

local function record_event(facility, clock, kind, id, packed, by)
  redis.pcall('XADD', facility.events, 'MAXLEN', '~', EVENTS_KEPT, '*', 'f', facility.name, 'i', id, 't', packed,
    'k', kind, 'a', clock.now, 'b', by)
end

-- Drops events from before this time. Called at the start of a service day with a time counted from the day that ended:
-- a clock that runs ahead by years cannot empty the log.
local function trim_events(facility, before_ms)
  redis.pcall('XTRIM', facility.events, 'MINID', '~', string.format('%d', math.max(0, before_ms)))
end

-- A pending reply: `l` is the sealed envelope, `m` everything the relay needs beside it.
local function add_reply(facility, clock, kind, request, envelope, answer)
  redis.call('XADD', facility.outbox, '*', 'l', envelope, 'm', cmsgpack.pack({kind, facility.name, request,
    answer.outcome, answer.refusal or 0, answer.token or '', answer.expires_s or 0, clock.now, answer.running or '',
    answer.pace_min or 0}))
end
