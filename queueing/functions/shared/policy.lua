-- The facility's rules, packed as a list that only grows at its end (registry.py). Missing values are nil.
local POLICY = {far = 1, stale = 2, unknown = 3, near_m = 4, rate = 5, burst = 6, no_show_after_s = 7,
  poster = 8}
