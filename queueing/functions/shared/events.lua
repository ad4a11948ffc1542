-- What others read: change hints for screens, the event log for every other consumer, pending replies for the relay.
-- No patient data is in any of them, but for the sealed envelope of a pending reply.

-- A hint that something changed here. The field `f` comes first: a screen's reader looks at nothing else.
local function announce_change(facility, kind, token, counter, by)
  redis.call('XADD', facility.changes, 'MAXLEN', '~', CHANGES_KEPT, '*', 'f', facility.name, 'k', kind, 'n', token,
    'c', counter, 'b', by)
end

-- The event log, read by queueing/event_log.py. An entry of the full form: `f` facility, `i` ticket id, `t` packed
-- ticket after the event, `k` kind, `a` time, `b` who did it, and for a share `q` request, `o` outcome, `r` refusal.
-- The short form (record_arrival here, outbox_delivered) has the facility as the field's name, because each field of
-- an entry costs time.
-- redis.pcall: the state change is already written and must not be reported as failed.
local function record_event(facility, clock, kind, id, packed, by)
  redis.pcall('XADD', facility.events, 'MAXLEN', '~', EVENTS_KEPT, '*', 'f', facility.name, 'i', id, 't', packed,
    'k', kind, 'a', clock.now, 'b', by)
end

-- A share that gave no new place: repeated, redelivered (`id`, `packed`: the place the person has) or refused.
-- `...`: one more field and its value. `h` 1: opening hours or a holiday alone had closed the queue.
local function record_share(facility, clock, kind, request, outcome, refusal, id, packed, ...)
  redis.pcall('XADD', facility.events, 'MAXLEN', '~', EVENTS_KEPT, '*', 'f', facility.name, 'i', id or '', 't',
    packed or '', 'k', kind, 'a', clock.now, 'b', '', 'q', request, 'o', outcome, 'r', refusal, ...)
end

-- A new place. Old entries are dropped once in a while, by the number of the ticket.
local function record_arrival(facility, clock, id, sequence, packed, by)
  if by and by ~= '' then return record_event(facility, clock, EVENT.CREATED, id, packed, by) end
  if sequence % TRIM_ONCE_IN == 0 then redis.pcall('XTRIM', facility.events, 'MAXLEN', '~', EVENTS_KEPT) end
  redis.pcall('XADD', facility.events, '*', facility.name, id .. ' ' .. packed)
end

-- Drops events from before this time. Called at the start of a service day with a time counted from the day that ended:
-- a clock that runs ahead by years cannot empty the log.
local function trim_events(facility, before_ms)
  redis.pcall('XTRIM', facility.events, 'MINID', '~', string.format('%d', math.max(0, before_ms)))
end

-- A pending reply: `l` is the sealed envelope, `m` everything the relay needs beside it. `closed` ends it where hours
-- closed the queue.
local function add_reply(facility, clock, kind, request, envelope, answer)
  local name, token, running, closed = facility.name, answer.token or '', answer.running or '', answer.closed
  redis.call('XADD', facility.outbox, '*', 'l', envelope, 'm', (closed and '\155' or '\154')
    .. string.char(kind) .. text_head(name) .. name .. text_head(request) .. request
    .. string.char(answer.outcome, answer.refusal or 0) .. text_head(token) .. token
    .. pack_number(answer.expires_s or 0) .. pack_now(clock) .. text_head(running) .. running
    .. pack_number(answer.pace_min or 0) .. (closed and cmsgpack.pack(closed) or ''))
end
