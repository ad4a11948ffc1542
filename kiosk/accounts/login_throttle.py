"""Limits of sign-in tries. The store holds the counts, so all workers and machines share them.

A limit slows a login down and never locks it: each count expires after fifteen minutes. A browser or an address that
this login signed in from before has a count of its own, which others cannot use up. All other tries count three times:
for this login from this address, for this login, and for this address. A successful try does not count. While the
store does not answer, sign-in is refused.
"""

from typing import Final

from queueing.staff import TryLimits

LIMITS: Final = TryLimits(window_s=15 * 60, per_device=10, per_login_and_address=10, per_login=50, per_address=30)
"""A person who knows the password types it wrong less than ten times. A login has fifty tries from all unknown
addresses together, so guessing from many addresses stays slow: 200 an hour, against passwords of 63 bits or chosen ones
that stand on no list. A hospital often shares one address, so an address has thirty."""
