-- What others hear of: changes for screens, pending replies for the relay. Numbers and counters, never people.

-- The field `f` stands first: a screen's reader looks at nothing else. What staff did says more, for whoever asks later.
local function tell(facility, kind, token, counter, by)
  redis.call('XADD', facility.changes, 'MAXLEN', '~', CHANGES_KEPT, '*', 'f', facility.name, 'k', kind, 'n', token, 'c', counter,
    'b', by)
end

-- Somebody came to each of these facilities: the changes of every scan, so nothing but where, and one for all of a call, in the
-- partition of the first. A hint: where it cannot be left nobody is refused a place. Old changes are dropped once in a
-- while, by the clock.
local function announce_arrivals(facilities, clock)
  local changes, words = facilities[1].changes, {}
  for i, facility in ipairs(facilities) do
    words[2 * i - 1], words[2 * i] = 'f', facility.name
  end
  if clock.now % TRIM_ONCE_IN == 0 then redis.pcall('XTRIM', changes, 'MAXLEN', '~', CHANGES_KEPT) end
  redis.pcall('XADD', changes, '*', unpack(words))
end

-- A pending reply: `l` is the sealed envelope, `m` everything the relay needs beside it.
local function add_reply(facility, clock, kind, request, envelope, answer)
  redis.call('XADD', facility.outbox, '*', 'l', envelope, 'm', cmsgpack.pack({kind, facility.name, request,
    answer.outcome, answer.refusal or 0, answer.token or '', answer.expires_s or 0, clock.now, answer.running or '',
    answer.pace_min or 0}))
end
