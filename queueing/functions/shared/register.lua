-- Each operation registers itself under its own name and the library's version, so that two releases can overlap.
-- By default a function runs even when memory is full: people in line must still be called and finished, and replies
-- delivered. A function that adds people or settings passes `{}`: it is refused then, before it writes anything.
local function register(name, callback, flags)
  redis.register_function{function_name = name .. '_' .. VERSION, callback = callback, flags = flags or {'allow-oom'}}
end
