"""Every sentence and label of the pages of figures that Python code shows. Templates hold the rest."""

from queueing.models import Assurance

PERIOD_TROUBLE = {
    "unreadable": "This is not a day. Choose a day, or write it as year-month-day: 2026-09-21.",
    "wrong_way": "The first day is after the last. Change the two days.",
    "long": "These are more than 366 days. Choose at most a year; kiosk export writes longer ranges to a file.",
    "future": "The last day has not come yet. Choose days until today.",
}
PRESETS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "last_week": "Last week",
    "four_weeks": "Last 28 days",
}
UNKNOWN_FACILITY = "No facility with the HIP id “{hip}” is set up here. Check the id."
ARCHIVE_AWAY = (
    "The archive cannot be read now, so figures of hours and days are missing. What stands under “Right now” is"
    " complete. The operator finds the reason with kiosk doctor."
)

TILES = {
    "waiting": "Waiting",
    "at_counter": "Called or at a counter",
    "expected": "Not here yet",
    "served": "Served today",
    "ended": "Finished or cancelled today",
    "no_show": "Did not come",
    "refused": "Refused today",
    "counters": "Counters open",
    "parked": "Answers not delivered",
}
TILE_NOTES = {
    "counters": "of {count}",
    "held": "{count} more on hold",
    "parked": "see Administration",
    "parked_none": "all phones were told",
    "refused_unknown": "the archive cannot be read",
    "refused_closed": "{count} of them while the queue was closed",
}

SOURCES = {
    "abha_app": "ABHA app",
    "camera": "Phone without the app",
    "staff": "Desk",
    "hmis": "Hospital system",
}
"""Who brought a patient; in the order of ``kiosk.archive.schema.SOURCES``."""
ORIGINS = {
    Assurance.SCREEN: "Code of a screen",
    Assurance.STALE: "Code of a screen, too old",
    Assurance.POSTER: "Printed poster",
    Assurance.CAMERA: "Form without an app",
    Assurance.STAFF: "Walk-in at the desk",
    Assurance.UNKNOWN: "Code without a counter",
}
"""What a place rests on."""
FAR = "Phone was far away"
NEARLY_ALL_FAR = (
    "Nearly every phone that said where it is was far away today: {far} of {known}. Perhaps the hospital has the"
    " coordinates of another place: compare them with a map."
)
FAR_REFUSED = (
    "Nearly every phone that said where it is was refused today as far away: {far} of {known}. Perhaps the hospital has"
    " the coordinates of another place: compare them with a map."
)
CLOCK_WRONG = (
    "A clock of the kiosk's computers is wrong, so scans may be refused. The operator finds which one, and what to"
    " type, with kiosk doctor."
)

NOTHING = "Nothing in these days."

ADVICE = {
    "open": "Open {needed} now; {open} now open.",
    "open_parts": "Open {needed} now; {open} now open ({parts}).",
    "enough": "{open} now open; {needed} would do.",
    "enough_parts": "{open} now open; {needed} would do ({parts}).",
    "none": "Nobody waits, and nobody is expected in this hour.",
    "unknown": "How many counters are needed is not known: fewer than five visits were measured in the last 28 days.",
    "away": "How many counters are needed is not known: the archive cannot be read.",
    "closed": "This facility has no queue yet.",
    "reason": "{arrivals}, a visit takes {service} minutes and {waiting} wait now; with these counters nine of ten are"
    " called within {within} minutes.",
}
"""How many counters to open now, and why."""
ARRIVALS = {
    "usual": "{count} people usually arrive on a {weekday} in this hour",
    "usual_one": "One person usually arrives on a {weekday} in this hour",
    "usual_none": "Nobody usually arrives on a {weekday} in this hour",
    "last_hour": "{count} people arrived in the last full hour",
    "last_hour_one": "One person arrived in the last full hour",
    "last_hour_none": "Nobody arrived in the last full hour",
}
"""How the reason begins."""
COUNTERS = {1: "1 counter"}
"""Number -> counters in words; ``COUNTERS_MANY`` for others."""
COUNTERS_MANY = "{count} counters"

TITLES = {
    "arrivals": "Arrivals by hour",
    "waits": "Waits by hour of arrival",
    "counters": "Counters by hour",
    "service": "Visits at a counter, by hour of arrival",
    "sources": "Who brought them, by hour",
    "queues": "Queues",
    "origins": "What the places rest on",
    "days": "Arrivals by day",
    "weeks": "Arrivals by week",
    "answers": "Answers to phones",
    "refusals": "Refused",
    "priority": "Priority by reason",
}
COLUMNS = {
    "hour": "Hour",
    "day": "Day",
    "week": "Week from",
    "queue": "Queue",
    "arrivals": "Arrivals",
    "earlier": "Arrivals {earlier}",
    "half": "Half within",
    "nine": "Nine of ten within",
    "half_earlier": "Half within, {earlier}",
    "open": "Open",
    "needed": "Needed",
    "mean": "On average",
    "called": "Called",
    "served": "Served",
    "no_show": "Did not come",
    "refused": "Refused",
    "wait_half": "Wait: half within (min)",
    "wait_nine": "Wait: nine of ten within (min)",
    "service_half": "Visit: half within (min)",
    "origin": "Origin",
    "tokens": "Tokens",
    "answer": "Answer",
    "count": "Count",
    "reason": "Reason",
    "given": "Tickets",
    "given_earlier": "Tickets {earlier}",
    "given_share": "Of all tickets (%)",
    "given_usual": "Usual month",
}
UNITS = {"people": "people", "minutes": "minutes", "counters": "counters"}
EARLIER = {1: "a week before", 7: "the week before"}
"""Days of a period -> how the period before is called; ``EARLIER_OTHERWISE`` for others."""
EARLIER_OTHERWISE = "{days} days before"
ALL = "All"
NO_QUEUE = "No queue"
ANSWERS = {
    "acks_delivered": "Delivered to the gateway",
    "acks_parked": "Not delivered",
    "repeated": "Second scans: told the same number",
    "redelivered": "Sent again by the gateway",
}
SUMMARY = {
    "arrivals_more": "{tokens} arrivals, {percent} % more than {earlier} ({before}).",
    "arrivals_fewer": "{tokens} arrivals, {percent} % fewer than {earlier} ({before}).",
    "arrivals_same": "{tokens} arrivals, as many as {earlier} ({before}).",
    "arrivals_alone": "{tokens} arrivals; {earlier} there were none.",
    "arrivals_first": "{tokens} arrivals; {earlier} nothing was counted here yet.",
    "arrivals_part": "{tokens} arrivals; {earlier} there were {before}, counted from {first} on.",
    "waits": "Half were called within {half} minutes, nine of ten within {nine}.",
    "service": "A visit takes {mean} minutes on average; half are over within {half}.",
    "answers": "Half of the answers reached the gateway within {half} s, nine of ten within {nine} s.",
    "people": "{tokens} tokens for {people} people: who came twice on a day counts once.",
}
HINTS = {
    "priority": "Why clerks let people go sooner. Each ticket counts once, by its last reason."
    " Without a reason: by the age of the profile, or by the hospital's system.",
    "waits": "From arrival, or from check-in of those who came later than they scanned, to the first call.",
    "counters": "Open: counters that called somebody in this hour. Needed: so that nine of ten are called within 30"
    " minutes, from arrivals and the visits of each queue.",
    "counters_long": "Counters are counted for 7 days at most: choose fewer days.",
    "far": "Far: the phone said that it was not at the hospital. These places are counted in the lines above as well.",
    "refusals": "A closed queue was closed by staff. Before this release was installed, opening hours and holidays were"
    " counted there too.",
    "linked": "Records linked per token: not known. It will stand here when the hospital's system reports it.",
}

CLOSED_BY_HOURS = "Opening hours or a holiday closed the queue"
NO_REASON = "No reason given"
LANE_ABOVE_USUAL = "{lane}: {count} today. A whole day of this weekday usually has {usual}."
"""A lane, or a reason, that was used more than usual."""
