-- A request id is answered once. Its answer is kept with the day: eight bytes of the body's fingerprint, one byte
-- outcome, one byte refusal, then the ticket id. The outcome becomes SAME_REQUEST when the request is delivered again,
-- so that only the first time stands in the event log.

-- What the record of this request says, nil without one.
local function known_answer(record, fingerprint)
  if not record then return nil end
  if fingerprint ~= '' and string.sub(record, 1, 8) ~= fingerprint then return {outcome = OUTCOME.CONFLICT} end
  local answered, refusal = string.byte(record, 9, 10)
  return {outcome = OUTCOME.SAME_REQUEST, refusal = refusal, id = string.sub(record, 11), record = record,
    first = answered ~= OUTCOME.SAME_REQUEST, answered = answered}
end

local function request_record(fingerprint, outcome, refusal, id)
  if fingerprint == '' then fingerprint = string.rep('\0', 8) end
  return fingerprint .. string.char(outcome, refusal) .. id
end

local function mark_redelivered(key, request, record)
  redis.call('HSET', key, 'r' .. request, string.sub(record, 1, 8) .. string.char(OUTCOME.SAME_REQUEST) ..
    string.sub(record, 10))
end

-- A facility's day ends with the next one (shared/day.lua); the requests of no facility end by themselves.
local function write_request(key, request, record, foreign)
  redis.call('HSET', key, 'r' .. request, record)
  if foreign then redis.call('EXPIRE', key, KEEP_DAY_S) end
end
