"""The gate before the no-app form: how many forms one device, one link, one address and one facility may send.

A form's link proves little: anybody may photograph the screen. Forms have a bucket of their own, far below the
facility's, so that no flood of forms costs a share from the gateway its place.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from queueing import library
from queueing.redis_keys import facility_root
from queueing.store.store import Store

WINDOW_S: Final = 900
"""Over which forms are counted: a camera link is good for some fifteen minutes."""
PER_DEVICE: Final = 3
"""Forms of one phone: a mother with two children."""
PER_LINK: Final = 60
"""Forms of one link: a screen shows it for five minutes, and a form takes a minute to fill in."""
PER_ADDRESS: Final = 60
"""Forms of one address: the phones of a hall's own Wi-Fi, or of a mobile network's exit, share one."""
RATE_PER_S: Final = 1.0
"""Forms a second of one facility: 3,600 an hour, more than any hall sees; the gateway's shares have twenty."""
BURST: Final = 20


class FormVerdict(IntEnum):
    """Numbers of functions/form_gate.lua."""

    PASS = 0
    FACILITY = 1
    PACE = 2
    DEVICE = 3


class FormSender(NamedTuple):
    """Digests in hex: the store holds no address and no link."""

    request: str
    link: str
    address: str
    device: str


async def admit_form(store: Store, hip_id: str, sender: FormSender) -> tuple[FormVerdict, int]:
    """Whether this form may ask for a place, and seconds to wait when it may not. Raises QueueingError."""
    root = facility_root(hip_id)
    limits = (WINDOW_S, PER_LINK, PER_ADDRESS, PER_DEVICE, RATE_PER_S, BURST)
    verdict, wait_s = await library.call(store, "form_gate", root, *sender, *(str(limit) for limit in limits))
    return FormVerdict(verdict), int(wait_s)
