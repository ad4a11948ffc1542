"""Sentences of the page on which a facility is copied."""

from typing import Final

from queueing.facility_copy import Why

DONE: Final = "Made. The audit has a line of it."
TROUBLE: Final = {
    "same": "Choose two facilities: a facility is no template of itself.",
    "from": "No facility has the HIP id of the template.",
    "to": "No facility has the HIP id of the new one. Set it up first: kiosk facility add.",
}
LEFT: Final = {
    Why.THERE: "{kind} {name} is there already and stays as it is.",
    Why.PREFIX: "{kind} {name} has the prefix of another queue there.",
    Why.QUEUE: "{kind} {name} serves a queue that is left out.",
}
"""Why a queue or counter is not made."""
