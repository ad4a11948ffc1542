-- What others hear of: news for screens, debts for the relay. Numbers and counters, never people.

local function tell(hall, kind, token, counter, by)
  redis.call('HINCRBY', hall.state, 'version', 1)
  redis.call('XADD', hall.news, 'MAXLEN', '~', NEWS_KEPT, '*', 'f', string.match(hall.root, ':(.*)$'), 'k', kind,
    'n', token, 'c', counter, 'b', by)
end

-- A debt: `n` is the sealed note, `m` everything the relay needs beside it.
local function owe(hall, clock, kind, request, note, answer)
  if note == '' then return end
  redis.call('XADD', hall.owed, '*', 'n', note, 'm', cmsgpack.pack({kind, string.match(hall.root, ':(.*)$'), request,
    answer.outcome, answer.refusal or 0, answer.token or '', answer.expires_s or 0, clock.now, answer.running or '',
    answer.pace_min or 0}))
end
