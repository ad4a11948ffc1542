"""How often somebody may try to sign in. The counts stand in the store, so workers and machines share them.

Tries are slowed, not locked: each count ends by itself after fifteen minutes. A browser, or an address, that this login
signed in from before has tries of its own, which strangers cannot use up. Everybody else shares three counts: of this
login from this address, of this login, and of this address. A good try does not count. When the store does not answer,
nobody signs in.
"""

from typing import Final

from queueing.staff import TryLimits

LIMITS: Final = TryLimits(window_s=15 * 60, per_device=10, per_login_and_address=10, per_login=50, per_address=30)
"""Ten wrong passwords are more than somebody types who knows theirs. A login has fifty from all unknown addresses
together, so guessing from many addresses stays slow: 200 an hour, against passwords of 63 bits or chosen ones that
stand on no list. A hospital often shares one address, so an address has thirty."""
