-- Settings, as an administrator packed them. They change seldom and many facilities have the same, so what was unpacked
-- is kept by its bytes; whoever gets it only reads it. Few are kept: each table that lives on is walked by every round
-- of Lua's collector, and with thousands of them that costs more than unpacking anew.
local SETTINGS_KEPT = 128
local settings, settings_count = {}, 0

local function read_settings(packed)
  local found = settings[packed]
  if not found then
    if settings_count == SETTINGS_KEPT then settings, settings_count = {}, 0 end
    found, settings_count = cmsgpack.unpack(packed), settings_count + 1
    settings[packed] = found
  end
  return found
end
