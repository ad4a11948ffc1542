-- MessagePack written by one concatenation, byte for byte as cmsgpack.pack writes it: cmsgpack makes a string of each
-- argument, or walks a table twice. A scan packs three lists.

-- What stands before a text, by its length.
local TEXT = {[0] = '\160', '\161', '\162', '\163', '\164', '\165', '\166', '\167', '\168', '\169', '\170', '\171',
  '\172', '\173', '\174', '\175', '\176', '\177', '\178', '\179', '\180', '\181', '\182', '\183', '\184', '\185',
  '\186', '\187', '\188', '\189', '\190', '\191'}

-- The same for any text of less than 65,536 bytes.
local function text_head(text)
  local length = #text
  if length < 32 then return TEXT[length] end
  if length < 256 then return string.char(217, length) end
  return string.char(218, math.floor(length / 256), length % 256)
end

-- A whole number.
local function pack_number(number)
  if number < 128 and number >= 0 then return string.char(number) end
  if number < 65536 and number >= 256 then return string.char(205, math.floor(number / 256), number % 256) end
  return cmsgpack.pack(number)
end

-- The time of the call, packed once for all its arrivals.
local function pack_now(clock)
  local packed = clock.packed
  if not packed then
    packed = cmsgpack.pack(clock.now)
    clock.packed = packed
  end
  return packed
end
