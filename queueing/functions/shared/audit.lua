-- The audit of one facility: what staff did and read. Neither names nor numbers of patients are in it.
--   root:audit          stream  one entry for each act; the newest AUDIT_KEPT
--   root:read:SESSION   zset    what a session read in the last READ_WINDOW_MS: ticket id or list -> when; ends with it
--   root:alarm:SESSION  string  an alarm was raised for this session; ends with the window

local AUDIT_KEPT = 20000         -- a hospital of a thousand patients a day: about two weeks
local READ_WINDOW_MS = 600000    -- a reading is recorded once in ten minutes, however often the screen draws it anew

local function audit_key(facility) return facility.root .. ':audit' end

local function record_act(facility, kind, by, address, ticket, why)
  redis.call('XADD', audit_key(facility), 'MAXLEN', '~', AUDIT_KEPT, '*', 'k', kind, 'b', by, 'a', address, 'i', ticket,
    'w', why)
end
