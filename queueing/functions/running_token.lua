--[[ running_token: a patient's app asks which number is served now; the answer is owed to the gateway.
  KEYS   1 root of the facility
  ARGV   1 clock   2 request digest, hex   3 fingerprint or ''   4 counter proved or ''   5 counter text, upper case
         6 refusal given at the door, 0 none   7 sealed letter   8 hip id
  Reply  {outcome, refusal}: NEW, SAME_REQUEST, CONFLICT or REFUSED
  Cost   O(1) ]]

-- The number called last in this queue, '0' while none was; nil while no number was given today.
local function running(hall, queue, today)
  local last = redis.call('LINDEX', calls_key(hall, queue), 0)
  if last then return cmsgpack.unpack(last)[2] end
  if redis.call('HEXISTS', today, 'n' .. queue) == 1 then return '0' end
end

local function owed_status(hall, queue, refusal, today)
  if refusal then return {outcome = OUTCOME.REFUSED, refusal = refusal} end
  local token = running(hall, queue, today)
  if not token then return {outcome = OUTCOME.REFUSED, refusal = REFUSAL.NO_TOKENS} end
  local pace_s = pace_of(hall, queue)[1]
  return {outcome = OUTCOME.NEW, running = token, pace_min = math.ceil(pace_s / 60)}
end

register('running_token', function(keys, args)
  local hall = open_hall(keys[1])
  local config = read_config(hall, args[4], args[5])
  local clock, wrong = clock_in(config[C.zone], tell_time(args))
  if not clock then return wrong end
  local ours = config[C.hip] == args[8]
  if ours then reach_day(hall, clock, tonumber(config[C.day] or 0)) end
  local today = ours and day_key(hall, clock.day) or foreign_day_key(hall, clock.day)
  local known = known_answer(redis.call('HGET', today, 'r' .. args[2]), args[3])
  if known then return {known.outcome, known.refusal or 0} end

  local refusal = tonumber(args[6])
  if refusal == 0 then refusal = not ours and REFUSAL.UNKNOWN_FACILITY or nil end
  local queue
  if not refusal then
    local found, _, _, closed = find_queue(hall, config, '', args[4], 0)
    queue = found and found.id
    if closed == REFUSAL.NO_QUEUE then refusal = closed end
  end
  local answer = owed_status(hall, queue, refusal, today)
  redis.call('XLEN', hall.owed)
  write_request(today, args[2], request_record(args[3], answer.outcome, answer.refusal or 0, ''))
  owe(hall, clock, DEBT.ON_STATUS, args[2], args[7], answer)
  return {answer.outcome, answer.refusal or 0}
end, {})
