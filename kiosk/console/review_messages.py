"""Every sentence and label of the state's review that Python code shows. The template holds the rest."""

MONTH_TROUBLE = {
    "unreadable": "This is not a month. Choose a month, or write it as year and month: 2026-09.",
    "future": "This month has not come yet. Choose a month until this one.",
    "old": "This month lies before ABDM began. Choose a later one.",
}
UNKNOWN_FACILITY = "The archive knows no facility with the HIP id “{hip}”. Check the id."
UNKNOWN_DISTRICT = "The archive knows no facility in “{district}”. Choose a district of the list."
ARCHIVE_AWAY = (
    "The archive cannot be read now, so there are no figures. The operator finds the reason with kiosk doctor."
)
TOO_MANY_LINES = (
    "This facility has more than {most} tickets in the month. The operator writes them with kiosk export tickets."
)

TILES = {
    "so_far": "Tokens so far",
    "today": "Today",
    "month": "In {month}",
    "share": "By Scan and Share",
    "people": "People",
    "live": "Institutions live today",
    "wait": "Wait: half within (min)",
    "ack": "Answer to the phone: half within (s)",
    "walk_ins": "Walk-ins",
    "no_app": "Phones without the app",
    "conversion": "Records linked per token",
    "incentive": "For the incentive",
}
NOTES = {
    "so_far": "{ours} counted here and {imported} imported",
    "today": "{app} by the ABHA app",
    "share": "{app} of {tokens} registrations here",
    "people_state": "each once in the month",
    "people_month": "each once in the month and facility",
    "live": "of {all}; {silent} silent for seven days, {never} never",
    "wait": "nine of ten within {nine} min",
    "ack": "nine of ten within {nine} s",
    "conversion": "not known: no hospital system reports it",
    "incentive": "{repeats} repeats on a day not counted",
    "uncounted": "not counted yet: the archive role does it every few minutes",
    "of_tokens": "{percent} % of the tokens",
    "none": "nothing measured",
}
PERCENT = "{number} %"

TITLES = {
    "pillars": "Pillars",
    "trend": "Tokens by month",
    "districts": "Districts, {month}",
    "hours": "Origin by hour, {month}",
    "facilities": "Facilities, {month}",
    "institutions": "Institutions",
    "priority": "Priority by reason, {month}",
    "far": "Nearly every phone far away, today and yesterday",
}
PILLARS = {
    "tokens": "Scan and Share tokens",
    "institutions_live": "Institutions live in the last seven days",
    "facilities_on_hfr": "Facilities on HFR",
    "professionals_verified": "Professionals verified",
    "institutions_on_esahaj": "Institutions on e-Sahaj",
    "records_linked": "Records linked",
}
"""Pillar -> its name, in the order of the page."""
OURS = "counted here"
OURS_AND_IMPORTED = "counted here, and imported totals"
NOT_KNOWN = "not known"
COLUMNS = {
    "pillar": "Pillar",
    "value": "Value",
    "target": "Target",
    "reached": "Reached (%)",
    "day": "Date",
    "source": "Source",
    "target_source": "Target from",
    "month": "Month",
    "imported": "Imported",
    "tokens": "Tokens",
    "share": "By app (%)",
    "people": "People",
    "wait": "Wait: half within (min)",
    "wait_nine": "Nine of ten (min)",
    "ack": "Answer: half within (s)",
    "district": "District",
    "hour": "Hour",
    "facility": "Facility",
    "hip_id": "HIP id",
    "accepted": "Accepted by the gateway",
    "counted": "For the incentive",
    "last_day": "Last token on",
    "live": "Live",
    "today": "Live today",
    "week": "In seven days",
    "silent": "Silent",
    "never": "Never",
    "far": "Phones far away",
    "far_refused": "Of them refused",
    "near": "Phones near",
}
LIVE = {
    "today": "Live today",
    "week": "Live in the last seven days, not today",
    "silent": "Silent for seven days",
    "never": "Never gave a token",
}
HINTS = {
    "pillars": "A figure that neither this service counts nor a file has brought is not known; it is never estimated."
    " Files come in by kiosk history pillars.",
    "trend": "People: persons by their ABHA number, address, or name with phone and year of birth. {once} Persons who"
    " could not be read are not among them. Imported totals stand apart and have no origin.",
    "districts": "By app: the part of all registrations here that came by Scan and Share. Live: gave a token on this"
    " day, or in the last seven days; silent: did before.",
    "far": "Of the phones that said where they are. Perhaps the facility has the coordinates of another place: its"
    " administrator compares latitude and longitude with a map.",
    "facilities": "For the incentive: tokens by the ABHA app whose answer the gateway accepted, a person once a day."
    " These counts are some minutes behind. Each can be traced: the facility's page has a file with ticket, REQUEST-ID"
    " and the time of the gateway's 202.",
}
PEOPLE_ONCE = {
    "people_state": "Each counts once in a month, in all facilities together; over months nobody is followed.",
    "people_month": "Each counts once in a month in each facility; over months nobody is followed.",
}
UNITS = {"tokens": "tokens"}
NO_DISTRICT = "No district"
ALL = "All"
SUMMARY = {
    "trend_more": "{month}: {tokens} tokens, {percent} % more than in {before_month} ({before}).",
    "trend_fewer": "{month}: {tokens} tokens, {percent} % fewer than in {before_month} ({before}).",
    "trend_same": "{month}: {tokens} tokens, as many as in {before_month} ({before}).",
    "trend_alone": "{month}: {tokens} tokens.",
}
LINE_COLUMNS = (
    "facility", "service_day", "ticket", "token", "request_id", "arrived_at", "gateway_accepted_at", "counted",
)  # fmt: skip
"""The header of the file of lines behind the incentive."""
