-- Where things are kept. Every key of a facility begins with its root, `{partition}:facility`, so that one call stays
-- in one slot. Keys that hold the service day are made here, because only the store knows the day.
-- Owner, bound and end of each key:
--   root:f        hash    settings of the administrator (facility, queues, counters, policy, networks, printed texts)
--                         and the present state: day, eve, behind (shared/day.lua), who is at which counter, pace of
--                         each queue, number of the last call, changes of the screens and of the desks, when the clerk
--                         of a counter is back from a break, announcements, hours of the boards, holidays, corrected
--                         sentences (words: at most CORRECTIONS_MAX, corrections.lua) and how often they changed; a few
--                         fields a queue, and one for the last change of each kind of setting (configure.lua); no end
--   root:w:QUEUE  zset    waiting: ticket -> its order (shared/ticket.lua); at most the queue's limit
--   root:a:QUEUE  zset    living but not waiting (expected, called, serving, held, no-show): ticket -> since, ms
--   root:e        zset    tickets that ended today: ticket -> when, ms; emptied with the day
--   root:l:QUEUE  list    last calls of a queue, newest first; LAST_CALLS
--   root:c        list    last calls of the facility, newest first; CALLS_KEPT; emptied with the day
--   root:i:QUEUE  list    seconds between calls, newest first; PACE_CALLS
--   root:y        hash    how fast queues usually move, by weekday and queue (usual.lua); two weeks
--   root:u        hash    moves that can be undone, by who made them; UNDO_MOVES each, an hour
--   root:m:DESK   string  the last move of an open desk and its reply (shared/moves.lua); a day
--   root:s        hash    paired screens: id -> packed screen; at most SCREENS_MAX (queueing/screens.py)
--   root:d        hash    open desks: who sits at which counter (shared/desks.lua); three minutes
--   root:v        hash    what paired screens last said of themselves: id -> packed report; as many
--   root:g        string  mark of the bucket of the no-app form; root:gr…, gl…, ga…, gd…: forms that passed by request,
--                         link, address and device; a quarter of an hour (form_gate.lua)
--   root:k        string  wrong tries to find a ticket's page, of the facility; root:kn… by number, root:ka… by
--                         address; hours. root:kr…: a recorded reading, by ticket; ten minutes (find_place.lua)
--   root:p        hash    phones that want a message with their page closed: ticket -> packed phones (push.lua);
--                         at most FACILITY_MAX tickets (queueing/push_phones.py); three days after the last one came
--   root:ik:…     hash    body digest and answer of a request with an Idempotency-Key; a day (idempotency.lua)
--   root:DAY      hash    one service day, by the first letter of its fields; ends KEEP_DAY_S after the next day began.
--                         The present day has no end: a clock that ran ahead would remove it
--                         (the last day of a facility that is used no more stays, sealed with an erased key)
--                         t ticket -> packed ticket      b ticket -> sealed envelope     r request -> its answer
--                         p person -> their tickets      n queue -> last number
--                         k ticket -> sealed note of staff
--                         l ticket -> sealed numbers of the hospital's system
--                         c queue -> numbers that people of the day before still hold, `,7,12,`
--                         # -> packed: last ticket; until when the facility's arrivals are spread, ms; newest order, ms
--   root:audit    stream  what staff did and read, without names and numbers of patients; the newest AUDIT_KEPT
--                         (shared/audit.lua)
--   root:read:SESSION   zset    what a session read in the last ten minutes: ticket id or list -> when
--   root:alarm:SESSION  string  an alarm was raised for this session; ten minutes
--   root:h:PERSON string  mark of the number that the hospital's system has for a person (a keyed digest, hexadecimal),
--                         and the number sealed (links.lua); 90 days after it was last sent
--   {partition}:owed    stream  pending replies to the gateway
--   {partition}:news    stream  change hints for screens, about CHANGES_KEPT
--   {partition}:events  stream  ticket events, about EVENTS_KEPT; EVENT_DAYS days at least while below that
--   {partition}:x:DAY   hash    requests that named no facility of ours; KEEP_DAY_S
-- Facility and day are one key each, because a scan reads them at once: each command costs more than its work.

local KEEP_DAY_S = 3 * 24 * 3600   -- a place may be kept over one midnight; a request id is known for at least 26 h
local CHANGES_KEPT = 4096          -- a hint: a screen that missed some reads a snapshot
local EVENTS_KEPT = 100000         -- three days of 33,000 events: ten times what a partition of a state of 3,600 has
local EVENT_DAYS = 3               -- a receiver that is down is tried again for three days
local TRIM_ONCE_IN = 16            -- one arrival in so many looks whether there are more
local LAST_CALLS = 8
local CALLS_KEPT = 50              -- a board that missed some announces each: more than a hall calls in three minutes
local PACE_CALLS = 20
local UNDO_MOVES = 5
local UNDO_FOR_MS = 10 * MINUTE_MS

local function partition_of(root)
  return string.sub(root, 1, string.find(root, '}', 1, true))
end

-- Lua formats every number with printf; the same day is written all the time.
local written_day, day_text

local function text_of_day(day)
  if day ~= written_day then written_day, day_text = day, string.format('%d', day) end
  return day_text
end

local function day_key(facility, day)
  return facility.root .. ':' .. text_of_day(day)
end

-- Where requests are remembered that named no facility of ours.
local function foreign_day_key(facility, day)
  return partition_of(facility.root) .. ':x:' .. day
end

-- The streams of each partition, made once: there are 48.
local streams = {}

local function streams_of(partition)
  local found = streams[partition]
  if not found then
    found = {outbox = partition .. ':owed', changes = partition .. ':news', events = partition .. ':events'}
    streams[partition] = found
  end
  return found
end

local function open_facility(root)
  local partition, name = string.match(root, '^(.-}):(.*)$')
  local shared = streams_of(partition)
  return {root = root, name = name, record = root .. ':f', outbox = shared.outbox, changes = shared.changes,
    events = shared.events}
end

local function waiting_key(facility, queue) return facility.root .. ':w:' .. queue end
local function aside_key(facility, queue) return facility.root .. ':a:' .. queue end
local function ended_key(facility) return facility.root .. ':e' end
local function undo_key(facility) return facility.root .. ':u' end
local function queue_calls_key(facility, queue) return facility.root .. ':l:' .. queue end
local function calls_key(facility) return facility.root .. ':c' end
local function person_number_key(facility, digest)
  return facility.root .. ':h:' .. string.gsub(digest, '.', function(byte)
    return string.format('%02x', string.byte(byte))
  end)
end

local function pace_key(facility, queue) return facility.root .. ':i:' .. queue end

local function config_of(facility, field)
  local packed = redis.call('HGET', facility.record, field)
  return packed and read_settings(packed) or nil
end

-- Every queue id of the facility, in the order in which they were added.
local function queue_ids(facility)
  local packed = redis.call('HGET', facility.record, 'queues')
  return packed and cmsgpack.unpack(packed) or {}
end

local function counter_names(facility)
  local packed = redis.call('HGET', facility.record, 'counters')
  return packed and cmsgpack.unpack(packed) or {}
end
