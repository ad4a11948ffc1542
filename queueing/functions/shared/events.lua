-- What others hear of: news for screens, debts for the relay. Numbers and counters, never people.

-- The field `f` stands first: a screen's reader looks at nothing else. What staff did says more, for whoever asks later.
local function tell(hall, kind, token, counter, by)
  redis.call('XADD', hall.news, 'MAXLEN', '~', NEWS_KEPT, '*', 'f', hall.name, 'k', kind, 'n', token, 'c', counter,
    'b', by)
end

-- Somebody came to each of these halls: the news of every scan, so nothing but where, and one for all of a call, in the
-- partition of the first. A hint: where it cannot be left nobody is refused a place. Old news are dropped once in a
-- while, by the clock.
local function tell_arrivals(halls, clock)
  local news, words = halls[1].news, {}
  for i, hall in ipairs(halls) do
    words[2 * i - 1], words[2 * i] = 'f', hall.name
  end
  if clock.now % TRIM_ONCE_IN == 0 then redis.pcall('XTRIM', news, 'MAXLEN', '~', NEWS_KEPT) end
  redis.pcall('XADD', news, '*', unpack(words))
end

-- A debt: `l` is the sealed letter, `m` everything the relay needs beside it.
local function owe(hall, clock, kind, request, letter, answer)
  redis.call('XADD', hall.owed, '*', 'l', letter, 'm', cmsgpack.pack({kind, hall.name, request,
    answer.outcome, answer.refusal or 0, answer.token or '', answer.expires_s or 0, clock.now, answer.running or '',
    answer.pace_min or 0}))
end
