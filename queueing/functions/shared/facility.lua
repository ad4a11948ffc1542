-- Where things are kept. Every key of a facility begins with its root, `{partition}:facility`, so that one call stays
-- in one slot. Names that need the service day are made here, because only the store knows the day.
-- Owner, bound and end of each key:
--   root:f        hash    what the administrator set (facility, queues, counters, policy, printed texts), and how things
--                         stand: day, eve, who is at which counter, pace of each queue; a few fields a queue; lives on
--   root:w:QUEUE  zset    waiting: ticket -> its order (shared/ticket.lua); at most the queue's limit
--   root:a:QUEUE  zset    alive but not waiting (expected, called, serving, held, no-show): ticket -> since, ms
--   root:l:QUEUE  list    last calls, newest first; LAST_CALLS
--   root:i:QUEUE  list    seconds between calls, newest first; PACE_CALLS
--   root:u        hash    moves that can be taken back, by who made them; UNDO_MOVES each, an hour
--   root:DAY      hash    one service day, by the first envelope of its fields; ends KEEP_DAY_S after its first write
--                         t ticket -> packed ticket      b ticket -> sealed envelope     r request -> what it came to
--                         p person -> their tickets      n queue -> last number
--                         # -> last ticket, and until when the facility's arrivals are spread, ms, both packed
--   {partition}:owed    stream  pending replies to the gateway     {partition}:news     stream  what changed, CHANGES_KEPT or so
--   {partition}:x:DAY   hash    requests that named no facility of ours; KEEP_DAY_S
-- Facility and day are one key each, because a scan reads them at once: each command costs more than its work.

local KEEP_DAY_S = 3 * 24 * 3600   -- a place may be carried over one midnight, its request id is known 26 h at least
local CHANGES_KEPT = 4096             -- changes is a hint, a screen that missed some reads a snapshot
local TRIM_ONCE_IN = 16            -- one arrival in so many looks whether there are more
local LAST_CALLS = 8
local PACE_CALLS = 20
local UNDO_MOVES = 5
local UNDO_FOR_MS = 10 * MINUTE_MS

local function partition_of(root)
  return string.sub(root, 1, string.find(root, '}', 1, true))
end

-- Lua writes every number by way of printf; the same day is written all the time.
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

local function open_facility(root)
  local partition = partition_of(root)
  return {root = root, name = string.sub(root, #partition + 2), record = root .. ':f', outbox = partition .. ':owed',
    changes = partition .. ':news'}
end

local function waiting_key(facility, queue) return facility.root .. ':w:' .. queue end
local function aside_key(facility, queue) return facility.root .. ':a:' .. queue end
local function undo_key(facility) return facility.root .. ':u' end
local function calls_key(facility, queue) return facility.root .. ':l:' .. queue end
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
