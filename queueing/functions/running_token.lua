--[[ running_token: a patient's app asks which number is served now; the reply goes to the outbox.
  KEYS   1 root of the facility
  ARGV   1 clock   2 request digest, hex   3 fingerprint or ''   4 counter proved or ''   5 counter text, upper case
         6 refusal of the endpoint, 0 none   7 sealed envelope   8 hip id
  Reply  {outcome, refusal}: NEW, SAME_REQUEST, CONFLICT or REFUSED
  Cost   O(1) ]]

-- The number called last in this queue; '0' when none was called; nil when no number was given today.
local function running(facility, queue, today)
  local last = redis.call('LINDEX', queue_calls_key(facility, queue), 0)
  if last then return cmsgpack.unpack(last)[CALL.token] end
  if redis.call('HEXISTS', today, 'n' .. queue) == 1 then return '0' end
end

local function add_status_reply(facility, queue, refusal, today)
  if refusal then return {outcome = OUTCOME.REFUSED, refusal = refusal} end
  local token = running(facility, queue, today)
  if not token then return {outcome = OUTCOME.REFUSED, refusal = REFUSAL.NO_TOKENS} end
  local pace_s = pace_of(facility, queue)[1]
  return {outcome = OUTCOME.NEW, running = token, pace_min = math.ceil(pace_s / 60)}
end

register('running_token', function(keys, args)
  local facility = open_facility(keys[1])
  local config = read_config(facility, args[4], args[5], '')
  local clock, wrong = clock_in(config[C.zone], config[C.day], read_time(args))
  if not clock then return wrong end
  local ours = config[C.hip] == args[8]
  if ours then reach_day(facility, clock, tonumber(config[C.day] or 0)) end
  local today = ours and day_key(facility, clock.day) or foreign_day_key(facility, clock.day)
  local known = known_answer(redis.call('HGET', today, 'r' .. args[2]), args[3])
  if known then return {known.outcome, known.refusal or 0} end

  local refusal = tonumber(args[6])
  if refusal == 0 then refusal = not ours and REFUSAL.UNKNOWN_FACILITY or nil end
  local queue
  if not refusal then
    local found, _, _, closed = find_queue(facility, config, '', '', args[4], 0, args[5])
    queue = found and found.id
    if closed == REFUSAL.NO_QUEUE then refusal = closed end
  end
  local answer = add_status_reply(facility, queue, refusal, today)
  redis.call('XLEN', facility.outbox)
  write_request(today, args[2], request_record(args[3], answer.outcome, answer.refusal or 0, ''), not ours)
  add_reply(facility, clock, REPLY.ON_STATUS, args[2], args[7], answer)
  return {answer.outcome, answer.refusal or 0}
end, {})
