-- What others hear of: news for screens, debts for the relay. Numbers and counters, never people.

-- The field `f` stands first: a screen's reader looks at nothing else. What staff did says more, for whoever asks later.
local function tell(hall, kind, token, counter, by)
  redis.call('XADD', hall.news, 'MAXLEN', '~', NEWS_KEPT, '*', 'f', hall.name, 'k', kind, 'n', token, 'c', counter,
    'b', by)
end

-- Somebody came: the news of every scan, so nothing but where. Old news are dropped once in a while, by the clock.
local function tell_arrival(hall, clock)
  if clock.now % TRIM_ONCE_IN == 0 then redis.call('XTRIM', hall.news, 'MAXLEN', '~', NEWS_KEPT) end
  redis.call('XADD', hall.news, '*', 'f', hall.name)
end

-- A number that grows with every news of the partition, and so with every change of the facility.
local function newest(hall)
  local last = redis.call('XREVRANGE', hall.news, '+', '-', 'COUNT', 1)[1]
  if not last then return 0 end
  local ms, sequence = string.match(last[1], '^(%d+)-(%d+)$')
  return ms * 1024 + math.min(1023, tonumber(sequence))
end

-- A debt: `l` is the sealed letter, `m` everything the relay needs beside it.
local function owe(hall, clock, kind, request, letter, answer)
  redis.call('XADD', hall.owed, '*', 'l', letter, 'm', cmsgpack.pack({kind, hall.name, request,
    answer.outcome, answer.refusal or 0, answer.token or '', answer.expires_s or 0, clock.now, answer.running or '',
    answer.pace_min or 0}))
end
