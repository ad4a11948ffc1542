-- The audit of one facility: what staff did and read. Neither names nor numbers of patients are in it. Its keys:
-- shared/facility.lua; for sign-ins, sessions and logins of the facility's staff: shared/staff.lua.

local AUDIT_KEPT = 20000         -- a hospital of a thousand patients a day: about two weeks
local READ_WINDOW_MS = 600000    -- a reading is recorded once in ten minutes, however often the screen draws it anew

local function audit_key(facility) return facility.root .. ':audit' end

-- The audit of the page, and the event log for the archive, which keeps it long.
local function add_act(key, events, facility, kind, by, address, ticket, why)
  redis.call('XADD', key, 'MAXLEN', '~', AUDIT_KEPT, '*', 'k', kind, 'b', by, 'a', address, 'i', ticket, 'w', why)
  redis.call('XADD', events, 'MAXLEN', '~', EVENTS_KEPT, '*', 'f', facility, 'i', ticket, 't', '', 'k', EVENT.ACT,
    'a', present_ms(), 'b', by, 'x', kind, 'd', address, 'w', why)
end

local function record_act(facility, kind, by, address, ticket, why)
  add_act(audit_key(facility), facility.events, facility.name, kind, by, address, ticket, why)
end

-- An act that the caller hands over at args[i]: kind ('': it is not recorded), login, address, why.
local function record_given_act(facility, args, i)
  if args[i] ~= '' then record_act(facility, args[i], args[i + 1], args[i + 2], '', args[i + 3]) end
end

-- What concerns logins and sessions stands in the slot of the staff, so that it is written in the step of the act. The
-- act is at args[i]: facility digest, kind ('': it is not recorded), login, address, why.
local function staff_audit_key(slot, facility) return slot .. ':audit:' .. facility end

local function record_staff_act(slot, args, i)
  if args[i + 1] == '' then return end
  add_act(staff_audit_key(slot, args[i]), slot .. ':events', args[i], args[i + 1], args[i + 2], args[i + 3], '',
    args[i + 4])
end
