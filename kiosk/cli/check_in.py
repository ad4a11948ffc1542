"""Check-in for a command: it opens and closes the same envelopes as the service."""

import time

from kiosk.abdm.inbound import read_patient
from kiosk.checkin import CheckIn
from kiosk.security.encryption import Seal
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.services.process import new_seal
from kiosk.settings import Settings
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.store.store import Store
from tokens import CounterCodes


async def check_in_on(store: Store, settings: Settings, desk: OpdDesk) -> tuple[CheckIn, Seal]:
    """With the day's keys of now. Refresh the seal before a command that runs on over midnight goes on."""
    ring = KeysOnDisk(settings.data_dir).load_or_create(int(time.time()))
    seal = new_seal(ring, settings)
    await seal.refresh(DayKeys(store), erase=False)
    check_in = CheckIn(
        desk, CounterCodes(ring), seal, person_key=ring.person_key(), read_patient=read_patient, now_s=time.time
    )
    return check_in, seal
