"""Limits of what an administrator may enter, each written once: models, forms and commands use these."""

from typing import Annotated, Final

from msgspec import Meta

HIP_ID_MAX: Final = 250
"""Characters. The registry of facilities gives 12; a bridge's own ids are longer."""
FACILITY_NAME_MAX: Final = 200
"""Characters. The longest name in the national register has about 150."""
REGION_MAX: Final = 100
"""Characters of a district or a state."""
TIMEZONE_MAX: Final = 64
"""Characters. The longest IANA name has 38."""
STAFF_NAME_MAX: Final = 80
"""Characters of a name in the head of a page."""
QUEUE_ID_MAX: Final = 32
QUEUE_NAME_MAX: Final = 100
"""Characters: two lines of a board."""
PREFIX_MAX: Final = 3
"""Letters. With a dash and four or five digits a token then fits into the eight characters of a phone's screen."""
NUMBERS_A_DAY_MAX: Final = 99_999
"""The digits of a token end here."""
CARRY_OVER_MAX_MIN: Final = 24 * 60
CARRY_OVER_MIN: Final = 240
"""Minutes of one day: an older ticket belongs to the day before yesterday."""
COUNTER_NAME_MAX: Final = 16
"""Characters, in letters that are read across a hall."""
COUNTER_QUEUES_MAX: Final = 99
SERVED_BY_MAX: Final = 64
"""Characters of who serves at a counter: one line of a board under the call, two on a counter screen."""
NEAR_MAX_M: Final = 100_000
"""Metres: a campus and the error of a phone's position fit in."""
RATE_MIN: Final = 0.1
"""Scans a second: a facility that takes fewer than one in ten seconds is better closed."""
RATE_MAX: Final = 10_000
"""Scans a second. The largest hospital has some 15 at its busiest; above the limit one facility would take all."""
BURST_MAX: Final = 100_000
"""Scans at once: no queue holds more numbers a day."""
NO_SHOW_MAX_S: Final = 24 * 3600
"""Seconds of one day: no call lasts longer."""
NETWORKS_MAX: Final = 16
"""Networks of one facility: buildings and Wi-Fi of the largest campus."""
IPV4_BITS_MIN: Final = 8
"""10.0.0.0/8 is the widest private network; a wider one would take in half of the internet."""
IPV6_BITS_MIN: Final = 32
"""What one provider has; a hospital's own is a /48 or /56."""
PRINTED_TEXT_MAX: Final = 250
"""Characters of a printed QR's text."""

HipId = Annotated[str, Meta(min_length=1, max_length=HIP_ID_MAX)]
FacilityName = Annotated[str, Meta(min_length=1, max_length=FACILITY_NAME_MAX)]
Region = Annotated[str, Meta(max_length=REGION_MAX)]
TimezoneName = Annotated[str, Meta(max_length=TIMEZONE_MAX)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
LANGUAGES_MAX: Final = 24
"""Names of one facility or queue: India has 22 official languages, and English."""
LanguageCode = Annotated[str, Meta(pattern=r"\A[a-z]{2,3}\Z")]
"""As ``kiosk.locales.LANGUAGES`` has it: ``hi``, ``doi``."""
FacilityNames = Annotated[dict[LanguageCode, FacilityName], Meta(max_length=LANGUAGES_MAX)]
QueueId = Annotated[str, Meta(pattern=rf"\A[A-Za-z0-9_-]{{1,{QUEUE_ID_MAX}}}\Z")]
QueueName = Annotated[str, Meta(min_length=1, max_length=QUEUE_NAME_MAX)]
QueueNames = Annotated[dict[LanguageCode, QueueName], Meta(max_length=LANGUAGES_MAX)]
DepartmentCode = Annotated[str, Meta(pattern=r"\A([1-9][0-9]{5,17})?\Z")]
"""A concept id of SNOMED CT, or empty."""
Prefix = Annotated[str, Meta(pattern=rf"\A[A-Z]{{1,{PREFIX_MAX}}}\Z")]
NumbersADay = Annotated[int, Meta(ge=1, le=NUMBERS_A_DAY_MAX)]
CarryOver = Annotated[int, Meta(ge=0, le=CARRY_OVER_MAX_MIN)]
CounterName = Annotated[str, Meta(pattern=rf"\A[A-Za-z0-9_-]{{1,{COUNTER_NAME_MAX}}}\Z")]
CounterQueues = Annotated[tuple[QueueId, ...], Meta(min_length=1, max_length=COUNTER_QUEUES_MAX)]
ServedBy = Annotated[str, Meta(max_length=SERVED_BY_MAX)]
Rate = Annotated[float, Meta(ge=RATE_MIN, le=RATE_MAX)]
Burst = Annotated[int, Meta(ge=1, le=BURST_MAX)]
NoShowAfter = Annotated[int, Meta(ge=0, le=NO_SHOW_MAX_S)]
Metres = Annotated[int, Meta(ge=0, le=NEAR_MAX_M)]
