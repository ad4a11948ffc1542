-- What others hear of: news for screens, debts for the relay. Numbers and counters, never people.

-- The field `f` stands first: a reader of news looks at nothing else.
local function announce(hall, kind, token, counter, by)
  redis.call('XADD', hall.news, 'MAXLEN', '~', NEWS_KEPT, '*', 'f', hall.name, 'k', kind, 'n', token, 'c', counter,
    'b', by)
end

local function tell(hall, kind, token, counter, by)
  redis.call('HINCRBY', hall.state, 'version', 1)
  announce(hall, kind, token, counter, by)
end

-- A debt: `n` is the sealed note, `m` everything the relay needs beside it.
local function owe(hall, clock, kind, request, note, answer)
  if note == '' then return end
  redis.call('XADD', hall.owed, '*', 'n', note, 'm', cmsgpack.pack({kind, hall.name, request,
    answer.outcome, answer.refusal or 0, answer.token or '', answer.expires_s or 0, clock.now, answer.running or '',
    answer.pace_min or 0}))
end
