-- A request id is answered once. What it came to is kept with the day: eight bytes of the body's fingerprint, one byte
-- outcome, one byte refusal, then the ticket id.

-- What this request id came to before, today or yesterday.
local function known_answer(requests, request, fingerprint)
  for _, key in ipairs(requests) do
    local record = redis.call('HGET', key, request)
    if record then
      if fingerprint ~= '' and string.sub(record, 1, 8) ~= fingerprint then return {outcome = OUTCOME.CONFLICT} end
      return {outcome = OUTCOME.SAME_REQUEST, refusal = string.byte(record, 10), id = string.sub(record, 11)}
    end
  end
end

local function write_request(key, request, fingerprint, outcome, refusal, id)
  local first = redis.call('HLEN', key) == 0
  if fingerprint == '' then fingerprint = string.rep('\0', 8) end
  redis.call('HSET', key, request, fingerprint .. string.char(outcome, refusal) .. id)
  if first then redis.call('EXPIRE', key, KEEP_DAY_S) end
end
