-- Each operation registers itself under its own name and the library's version, so that two releases can overlap.
-- Without flags a function runs even when memory is full: who already stands in line must still be called, finished
-- and paid. Only what adds people or settings passes `{}` and is refused then, before it writes anything.
local function register(name, callback, flags)
  redis.register_function{function_name = name .. '_' .. VERSION, callback = callback, flags = flags or {'allow-oom'}}
end
