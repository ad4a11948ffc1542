"""One hospital with its desk and registry."""

from dataclasses import dataclass

from queueing.desk import OpdDesk
from queueing.registry import Registry
from queueing.store.store import Store

SRINAGAR = (34.0837, 74.7973)


@dataclass
class Hospital:
    store: Store
    desk: OpdDesk
    registry: Registry
