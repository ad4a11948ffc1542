-- Settings of the administrator, unpacked and cached by their bytes: they change seldom, and many facilities have equal
-- ones. Callers must not change the tables. The cache is small: Lua's collector walks every table that stays, and with
-- thousands of them that costs more than unpacking again.
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
