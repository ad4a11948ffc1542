-- Small numbers that the store and queueing/models.py share. A test proves that both lists agree.

local OUTCOME = {NEW = 1, SAME_REQUEST = 2, SAME_PERSON = 3, REFUSED = 4, MOVED = 5, EMPTY = 6, TAKEN = 7,
  NOT_ALLOWED = 8, UNKNOWN_TICKET = 9, UNKNOWN_COUNTER = 10, UNKNOWN_QUEUE = 11, UNKNOWN_FACILITY = 12,
  NOTHING_TO_UNDO = 13, CONFLICT = 14, OTHER_ZONE = 15, UNANSWERED = 16}

local STATE = {EXPECTED = 1, WAITING = 2, CALLED = 3, SERVING = 4, HELD = 5, NO_SHOW = 6, DONE = 7, CANCELLED = 8,
  LAPSED = 9}

local LANE = {ORDINARY = 0, SENIOR = 1, PREGNANT = 2, DISABLED = 3, EMERGENCY = 4, PRIORITY = 5}

local ASSURANCE = {SCREEN = 1, STALE = 2, POSTER = 3, UNKNOWN = 4, STAFF = 5, CAMERA = 6}

local NEARNESS = {UNKNOWN = 0, NEAR = 1, FAR = 2}

local REFUSAL = {UNKNOWN_FACILITY = 1, CLOSED_COUNTER = 2, CLOSED_QUEUE = 3, FAR = 4, STALE = 5, UNKNOWN_COUNTER = 6,
  INTENT = 7, CLOCK = 8, FACILITY_MISMATCH = 9, BUSY = 10, QUEUE_FULL = 11, PROFILE = 12, NO_QUEUE = 13,
  NO_TOKENS = 14, MALFORMED = 15, NO_PLACE = 16}

local PRESENCE_RULE = {TAKE = 0, EXPECT = 1, REFUSE = 2}

local REPLY = {ON_SHARE = 1, ON_STATUS = 2}

local EVENT = {CREATED = 1, CHECKED_IN = 2, CALLED = 3, RECALLED = 4, SERVING = 5, HELD = 6, NO_SHOW = 7, RETURNED = 8,
  TRANSFERRED = 9, DONE = 10, CANCELLED = 11, LAPSED = 12, UNDONE = 13, LANE_CHANGED = 14,
  ACKNOWLEDGEMENT_PARKED = 15, SHARE_REPEATED = 16, SHARE_REFUSED = 17, SHARE_REDELIVERED = 18,
  ACKNOWLEDGEMENT_DELIVERED = 19, ACT = 20}

local MINUTE_MS = 60000
local HOUR_MS = 60 * MINUTE_MS
local DAY_MS = 24 * HOUR_MS

-- Minutes by which a lane counts as having come earlier. Bounded, so that nobody in the ordinary lane starves: after
-- half an hour of waiting no newcomer of these lanes is placed before them. An emergency is always called first.
-- queueing/lanes.py repeats these head starts; a test compares them.
local HEAD_START_MS = {[LANE.ORDINARY] = 0, [LANE.SENIOR] = 20 * MINUTE_MS, [LANE.PREGNANT] = 30 * MINUTE_MS,
  [LANE.DISABLED] = 30 * MINUTE_MS, [LANE.EMERGENCY] = 7 * DAY_MS, [LANE.PRIORITY] = 20 * MINUTE_MS}

-- Living: the place still counts, and the same person keeps the same number.
local LIVING = {[STATE.EXPECTED] = true, [STATE.WAITING] = true, [STATE.CALLED] = true, [STATE.SERVING] = true,
  [STATE.HELD] = true, [STATE.NO_SHOW] = true}
