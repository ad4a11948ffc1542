"""Every sentence and label of the staff pages that Python code or the page's scripts show. Templates hold the rest."""

from kiosk.accounts.passwords import LEAST, MOST, Fault
from queueing import lanes, limits
from queueing.models import Assurance, Nearness, Outcome, Refusal, State
from queueing.policy import PresenceRule
from queueing.screens import CODE_LENGTH, SCREEN_NAME_MAX

ORDER = "First come, first called; people with priority count as some minutes earlier, emergencies go before everybody."

LANES = {lane: row.label for lane, row in lanes.LANES.items()}
LANE_WHO = {lane: row.who for lane, row in lanes.LANES.items()}
REASONS = {reason: row.label for reason, row in lanes.REASONS.items()}

STATES = {
    State.EXPECTED: "Not here yet",
    State.WAITING: "Waiting",
    State.CALLED: "Called",
    State.SERVING: "At the counter",
    State.HELD: "On hold",
    State.NO_SHOW: "Did not come",
    State.DONE: "Finished",
    State.CANCELLED: "Cancelled",
    State.LAPSED: "Day ended",
}

ASSURANCES = {
    Assurance.SCREEN: "",
    Assurance.STALE: "old code",
    Assurance.POSTER: "poster",
    Assurance.UNKNOWN: "no counter",
    Assurance.STAFF: "walk-in",
    Assurance.CAMERA: "camera",
}
NEARNESSES = {Nearness.UNKNOWN: "", Nearness.NEAR: "near", Nearness.FAR: "far away"}
ALIKE = "same as {token}?"
"""An earlier ticket of the queue has the same year of birth and the same phone or name: the clerk asks the person."""
GENDERS = {"M": "Male", "F": "Female", "O": "Other", "T": "Transgender", "D": "Not said", "U": "Not said"}

SECTIONS = {
    "waiting": "Waiting",
    "expected": "Not here yet",
    "held": "On hold",
    "no_show": "Did not come",
    "elsewhere": "At other counters",
    "done": "Finished today",
    "cancelled": "Cancelled today",
}

DONE = {
    "next": "{token} called to {counter}.",
    "call": "{token} called to {counter}.",
    "recall": "{token} called again.",
    "start": "{token} is at the counter.",
    "finish": "{token} finished.",
    "hold": "{token} on hold; the place is kept.",
    "no-show": "{token} did not come.",
    "bring-back": "{token} is back, near the front.",
    "transfer": "{token} sent to {queue}.",
    "check-in": "{token} is here; the place counts from now.",
    "lane": "{token} is now: {lane}.",
    "cancel": "{token} cancelled.",
    "undo": "Undone. {token}: {state}.",
}
"""What a move that worked is told as."""
UNDONE_AT = "Undone at {counter}. {token}: {state}."
"""An undone move that was made at a counter: the clerk may sit at another one by now."""

OUTCOMES = {
    Outcome.EMPTY: "Nobody is waiting.",
    Outcome.SAME_REQUEST: "This was made before.",
    Outcome.UNANSWERED: "{token} was called here. Did the patient come?",
    Outcome.TAKEN: "Somebody was quicker: look at the list.",
    Outcome.NOT_ALLOWED: "That does not go now: {token} is “{state}”.",
    Outcome.UNKNOWN_TICKET: "This number is no longer in the list.",
    Outcome.UNKNOWN_COUNTER: "This counter does not exist or is closed.",
    Outcome.UNKNOWN_QUEUE: "This queue does not exist or is closed.",
    Outcome.UNKNOWN_FACILITY: "This facility is not set up.",
    Outcome.NOTHING_TO_UNDO: "There is nothing to undo.",
}
TAKEN_BY = "Counter {counter} took {token} first."
TAKEN_HERE = "{token} is at this counter already."
NOT_UNDONE = "Not undone: {token} was moved by somebody else since. It is now “{state}”."

PERHAPS = "This may be somebody who has a number today. Ask the person."
PLACES = {
    Outcome.NEW: "Registered.",
    Outcome.SAME_REQUEST: "Already registered.",
    Outcome.SAME_PERSON: "This person has a number already; it is the same one.",
    Outcome.REFUSED: "No number: {refusal}",
}
REFUSALS = {
    Refusal.UNKNOWN_FACILITY: "the facility is not known.",
    Refusal.CLOSED_COUNTER: "the counter is closed.",
    Refusal.CLOSED_QUEUE: "the queue is closed.",
    Refusal.FAR: "the phone was far from the hospital.",
    Refusal.STALE: "the code on the screen had passed.",
    Refusal.UNKNOWN_COUNTER: "the code names no counter.",
    Refusal.INTENT: "the app asked for something else.",
    Refusal.CLOCK: "the message was too old.",
    Refusal.FACILITY_MISMATCH: "the message named two facilities.",
    Refusal.BUSY: "too many at once; try again in a moment.",
    Refusal.QUEUE_FULL: "today's numbers of this queue are all given out.",
    Refusal.MALFORMED: "the message could not be read.",
    Refusal.PROFILE: "the profile could not be read.",
    Refusal.NO_PLACE: "a printed code was scanned, and the phone did not say where it was.",
    Refusal.NO_QUEUE: "the facility has no queue yet.",
}
PRESENCE_RULES = {
    PresenceRule.TAKE: "take a place at once",
    PresenceRule.EXPECT: "give a number; the place counts from check-in",
    PresenceRule.REFUSE: "refuse, with words on the phone",
}

SIGN_IN = {
    "wrong": "Login or password is not right.",
    "often": "Too many tries. It works again in {minutes} min.",
    "old": "The password is not right.",
    "code": "The code is not right. Wait for the next one on your phone; each code works once.",
    "phone_again": "The password or the code is not right. Wait for the next code on your phone.",
    "ended": "This first password was good for 72 hours, and they are over. Ask your administrator for a new one.",
    "twice": "The two new passwords differ.",
    "over": "You were signed out: that happens after {minutes} minutes without use, after {hours} hours, or when the "
    "session is ended elsewhere. Please sign in again.",
    "open": "Sign-in is closed here: this address is not encrypted, so anybody on the network could read the password. "
    "Ask the person who runs the service to set up encryption (kiosk tls make, or a proxy with https).",
}
TROUBLE = {
    "busy": "Many people are signing in. Try again in a few seconds.",
    "away": "The queue does not answer. Nothing was changed; try again in a moment.",
    "foreign": "This request did not come from an open console page. Load the page again.",
    "signed_out": "You were signed out. Sign in to go on; your counter is remembered.",
    "password_due": "Choose a password of your own first.",
    "code_missing": "Enter the code of your authenticator app first.",
    "phone_due": "Set up your authenticator app first: state administrators sign in with its codes.",
    "no_facility": "Choose a facility first.",
    "not_admin": "This page is for the facility's administrator.",
    "not_state": "This page is for administrators of the state.",
    "not_qr": "This is not an ABHA card or app QR.",
    "name_missing": "Write the patient's name.",
    "name_long": "Write a shorter name: at most 64 characters.",
    "name_odd": "This is not a name. Use letters; S/o, B/O, W/O and Twin 2 of are understood.",
    "age_odd": "The age is not understood. Write 67, 8m, 6d, 1.5, a year of birth such as 1957, or leave it empty.",
    "phone_odd": "The mobile number is not understood. Write its 10 digits, a foreign one with +, or leave it empty.",
    "unreadable": "The request could not be read.",
    "too_large": "That is more than a form can hold.",
    "wrong_type": "The request has a Content-Type, a charset or a compression that this address does not take.",
}
SCAN = {
    "aadhaar": "This is an Aadhaar QR. It is not read here. Ask for the QR of the ABHA card or app.",
    "link": "This is the QR of a web address, not of a patient.",
    "slip": "This slip's link has ended, or it belongs to another hospital.",
    "other": "This is not an ABHA card or app QR, and not one of our slips.",
    "doubt": "Fourteen digits were read. They may not be an ABHA number: compare them with the card.",
}
"""What a scanned text is that names neither a patient nor a ticket of ours. ``doubt`` is told beside a patient."""
TITLES = {
    "away": "The queue cannot be reached just now.",
    "signed_out": "Please sign in.",
    "foreign": "This is not allowed.",
    "not_admin": "This is not allowed.",
    "not_qr": "The text is no ABHA QR.",
    "name_missing": "The name is missing.",
    "name_long": "The name is too long.",
    "name_odd": "This is not a name.",
    "age_odd": "The age cannot be read.",
    "phone_odd": "The mobile number cannot be read.",
}
"""Titles of problem documents; ``TROUBLE`` has their details."""
TITLE_OTHERWISE = "The request was refused."
ADMIN_DONE = {
    "queue": "Queue saved.",
    "queue-opened": "Open. The queue gives numbers again.",
    "queue-closed": "Closed. Nobody new gets a number; whoever waits keeps the place and is called.",
    "default": "Default queue changed.",
    "counter": "Counter saved.",
    "counters": "Counters saved.",
    "policy": "Rules saved.",
    "text": "Printed text saved.",
    "disabled": "Login disabled; it is signed out everywhere.",
    "enabled": "Login enabled.",
    "sign-out": "That login is signed out everywhere.",
    "resent": "Sent again; the phone should show the number in a moment.",
    "not_resent": "This answer is no longer parked.",
    "facility": "Facility saved.",
}

FIELDS = {
    "queue": {
        "id": f"A queue's id has 1 to {limits.QUEUE_ID_MAX} letters, digits, - or _.",
        "name": "The queue needs a name that people understand.",
        "prefix": f"The prefix has 1 to {limits.PREFIX_MAX} letters; it stands before every number.",
        "limit": f"Numbers a day is a whole number from 1 to {limits.NUMBERS_A_DAY_MAX}, or empty for no limit.",
        "carry_over_min": f"Over midnight is a whole number of minutes from 0 to {limits.CARRY_OVER_MAX_MIN}.",
    },
    "counter": {
        "name": "A counter is named by letters and a number, at most 4 characters, like M1; several: M1, M2 or M1-M4.",
        "queues": "Choose the queue to which the counter's QR leads.",
        "served_by": f"Who serves there is written in at most {limits.SERVED_BY_MAX} characters.",
    },
    "policy": {
        "far": "Choose a rule for each kind of share.",
        "near_m": f"The distance is a whole number from 0 to {limits.NEAR_MAX_M}.",
        "rate": f"Scans a second is a number from {limits.RATE_MIN:g} to {limits.RATE_MAX}, or empty.",
        "burst": f"Scans at once is a whole number from 1 to {limits.BURST_MAX}, or empty.",
        "no_show_after_s": f"The time to a no-show is a whole number of seconds from 0 to {limits.NO_SHOW_MAX_S}.",
    },
    "screen": {
        "name": f"The screen needs a name of 1 to {SCREEN_NAME_MAX} characters, such as Hall, beside the door.",
        "counter": "Choose a counter of this facility.",
        "volume": "The volume is a whole number from 0 to 100.",
    },
    "networks": {"networks": "The networks cannot be saved: {fault}."},
    "text": {"text": f"A printed text has 1 to {limits.PRINTED_TEXT_MAX} characters."},
    "facility": {
        "": "This facility is not set up.",
        "name": "The facility needs a name.",
        "timezone": "The time zone is a name like Asia/Kolkata, or empty.",
        "latitude": "The latitude is in degrees, like 34.0837, or empty.",
        "longitude": "The longitude is in degrees, like 74.7973, or empty.",
        "place": "The place cannot be right: {fault}.",
    },
}
"""What is wrong with a field of an administrator's form."""

PASSWORDS = {
    Fault.LENGTH: f"Choose a password of {LEAST} to {MOST} characters.",
    Fault.IS_LOGIN: "The password must not be your login.",
    Fault.RUN: "This is one of the first passwords anybody would try.",
    Fault.COMMON: "This password stands on lists of stolen ones. Three unrelated words make a good one.",
    Fault.SAME: "The new password must differ from the old one.",
}
DETAILS = {
    "name": "Name",
    "gender": "Gender",
    "born": "Born",
    "abha_number": "ABHA number",
    "abha_address": "ABHA address",
    "phone": "Phone",
    "line": "Address",
    "district": "District",
    "state": "State",
    "pincode": "PIN",
}
"""Labels of the registration details, in the order of most forms."""
HOSPITAL_NUMBERS = {"patient_id": "Hospital number", "visit_id": "Visit"}
"""Labels of what the hospital's own system calls a patient and a visit."""
MONTHS = "{count} mo"  # age of a small child
AUDIT_DAY = "This is no day such as 2026-04-01. The newest entries are shown."
AUDIT_ARCHIVE_AWAY = "Older entries cannot be read now: the archive does not answer. Try again in some minutes."
AUDIT_ACTS = {
    "export": "wrote rows of the archive to a file, at the command line",
    "admin_alias": "let a further id lead to the facility",
    "admin_alias-forgotten": "removed a further id of the facility",
    "clock_healed": "brought the facility back to today after the clock ran ahead",
    "sign_in": "signed in",
    "sign_in_refused": "sign-in refused",
    "sign_out": "signed out",
    "sign_out_everywhere": "signed out everywhere",
    "password_changed": "changed the password",
    "session_ended": "ended another session of their own",
    "sessions_ended": "ended all other sessions of their own",
    "second_factor_set": "set up an authenticator app",
    "second_factor_removed": "removed their authenticator app",
    "second_factor_reset": "forgot the authenticator app of a login",
    "refused": "refused",
    "list_read": "saw the list of a counter",
    "profile_read": "read a patient's details",
    "profile_compared": "looked for their place again by number, or tried to",
    "profile_copied": "copied a patient's details for another program",
    "audit_read": "opened the audit",
    "note_written": "wrote a note on a ticket",
    "note_removed": "removed the note of a ticket",
    "break_begun": "began a break of a counter",
    "break_ended": "ended the break of a counter",
    "figures_exported": "downloaded figures",
    "tickets_exported": "downloaded the tickets of a month",
    "person_erased": "erased a person's details",
    "links_set": "sent the hospital system's numbers of a patient",
    "links_removed": "removed the hospital system's numbers of a patient",
    "api_key_added": "made an API key",
    "api_key_revoked": "revoked an API key",
    "admin_queue": "saved a queue",
    "admin_queue-removed": "removed a queue",
    "admin_queue-open": "opened or closed a queue",
    "admin_queue-hours": "changed the opening hours of a queue",
    "admin_holidays": "changed the holidays",
    "admin_default": "changed the default queue",
    "admin_counter": "saved a counter",
    "admin_counter-removed": "removed a counter",
    "admin_counter-open": "opened or closed a counter",
    "admin_policy": "changed the rules",
    "admin_text": "changed a printed text",
    "admin_copied": "copied queues, counters and rules of another facility",
    "admin_take-back": "took the last change of a setting back",
    "admin_copy": "changed how details are copied for other programs",
    "admin_facility": "changed the facility",
    "admin_staff": "added a login",
    "admin_staff-removed": "removed a login",
    "admin_reset": "made a new password",
    "admin_disable": "disabled or enabled a login",
    "admin_screen-pair": "paired a screen",
    "admin_screen-change": "changed a screen",
    "admin_screen-remove": "removed a screen",
    "admin_voice-add": "recorded a phrase of the hospital's voice",
    "admin_voice-remove": "took a phrase of the hospital's voice away",
    "announced": "put an announcement on the boards",
    "announcement_ended": "took an announcement back",
    "admin_board-hours": "changed the hours of the boards",
    "admin_word-correct": "corrected a sentence of the screens",
    "admin_word-back": "took the correction of a sentence back",
    "admin_printer": "changed the printers of slips",
    "admin_networks": "changed the facility's own networks",
    "admin_sign-out": "ended all sessions of a login",
    "admin_resend": "sent a parked reply again",
    "admin_target-add": "connected a program",
    "admin_target-remove": "removed a connected program",
    "admin_target-on": "switched a connected program on",
    "admin_target-again": "sent an event to a program again",
    "admin_target-replay": "sent all events after one to a program again",
    "admin_target-test": "tried a connected program",
    "admin_target-profiles-on": "let patients' details go to a program",
    "admin_target-profiles-off": "stopped sending patients' details to a program",
    "profile_sent": "a program was sent a patient's details",
}
"""Acts of the audit, as the page shows them."""

ADMIN_TROUBLE = {
    "prefix": "Another queue of this facility has this prefix already.",
    "unknown": "This queue or counter does not exist here.",
    "facility": "No facility with this HIP id is set up.",
}

SCREENS_DONE = {
    "paired": "Paired. The screen changes within a few seconds.",
    "change": "Saved. The screen changes at once.",
    "remove": "Removed. The screen gets no fresh codes from now on.",
    "networks": "Networks saved.",
}
SCREENS = {
    "form": f"The screen shows {CODE_LENGTH} letters. Type them as they stand there.",
    "unknown": "No screen shows these letters now. They change every ten minutes: look at the screen again.",
    "often": "Too many wrong letters. It works again in {minutes} min.",
    "full": "This facility has {most} screens already. Remove one first.",
}
"""Why letters of a screen are not taken."""

SCREEN = {
    "lost": "Connection lost since {time}. The list is as it was; trying again…",
    "back": "Connected again.",
    "renewed": "A new release is here: reload this page",
    "nobody": "Nobody at this counter",
    "nobody_hint": "Press N to call the next patient.",
    "none_waiting": "Nobody is waiting.",
    "no_match": "No number, name or last four like “{text}”.",
    "counter_closed": "Counter {counter} is closed: nobody can be called here.",
    "not_told": "phone not told",
    "far": "far away",
    "choose_first": "Choose somebody in the list first (↑ ↓).",
    "no_current": "Nobody is at this counter.",
    "working": "…",
    "locked": "You were signed out. Your counter is remembered.",
    "failed": "No answer. Nothing is certain: look at the list before trying again.",
    "copied": "Copied.",
    "no_forms": "No form is set up. An administrator adds one: Administration, Copying.",
    "selected": "Selected {token}",
    "min": "min",
    "more": "{count} more wait behind these.",
    "cancel_sure": "Cancel {token}? The number ends here.",
    "ahead": "{count} before",
    "slip_ahead": "{count} before you",
    "first": "next",
    "reading": "Reading the scan…",
    "key_dropped": "A scan was being read: the key did nothing.",
    "scan_lost": "No answer: the scan was not read. Scan again.",
    "barcode_no_name": "This is a barcode, not a name.",
    "read_qr": "Read from the ABHA QR: check it with the patient.",
    "not_qr": "This is not an ABHA card or app QR.",
    "slip_found": "{token} is chosen in the list.",
    "slip_not_listed": "{token} is not in this counter's list.",
    "perhaps_use": "It is {token}",
    "name_needed": "A name is needed.",
    "undo": "Undo (U)",
    "other_counter": "Counter {counter}",
    "calls": "called {count} times",
    "since": "{minutes} min",
    "just_now": "just now",
}
"""Words the page's script needs; templates hold the rest."""
