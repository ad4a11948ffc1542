"""Sentences of the administrator's rooms that Python code shows."""

from typing import Final

from queueing.removal import Use

STAFF_TROUBLE: Final = {
    "BadLogin": "A login is 2 to 64 small letters, digits and . _ @ -, beginning with a letter or digit.",
    "LoginUsed": "Somebody signed in with this login already: disable it instead. The audit names it.",
    "LoginTaken": "Your facility has the login already. Choose another one.",
    "UnknownLogin": "Nobody of this facility has this login.",
}
"""What is wrong with a login, by the name of the error."""

DONE: Final = {
    "take-back": "Taken back: what was set before is set again.",
    "look": "This is what these rules would do. Nothing is saved yet.",
    "remove-queue": "Queue removed.",
    "remove-counter": "Counter removed.",
    "remove-staff": "Login removed.",
}
STILL_USED: Final = {
    Use.NUMBERS: "Not removed: the queue gave numbers today or somebody is in it. Close it instead: it gives no new "
    "number, and it can be removed on a day on which nobody has a number of it.",
    Use.SERVED: "Not removed: a counter serves this queue. Change the counter to other queues first, or remove it.",
    Use.DEFAULT: "Not removed: this is the default queue. Make another one the default first.",
    Use.DESK: "Not removed: somebody has the desk of this counter open. Close the counter instead, or remove it when "
    "its clerk has left.",
    Use.PERSON: "Not removed: somebody is called to this counter or served there. Close it instead: its clerk finishes "
    "and calls nobody new.",
    Use.CALLED: "Not removed: somebody was called to this counter today. Close it instead; tomorrow it can be removed.",
    Use.TEXT: "Not removed: a printed text leads to this counter. Remove the text on the page Posters first.",
    Use.SCREEN: "Not removed: a paired screen shows it. Change that screen on the page Screens first.",
}
"""Why a queue or counter stays, and what to do instead."""
CHANGED_SINCE: Final = "Somebody changed this again, or took it back already. Look at what is set now."

RULES: Final = {
    "far": "The phone says it is far away",
    "stale": "The code on the screen had passed when it was read",
    "unknown": "The code names no counter of ours",
    "poster": "A printed poster, and the phone says no place",
    "near_m": "A phone is near within, metres",
    "rate": "Scans a second",
    "burst": "Scans at once",
    "no_show_after_s": "A call is missed after, seconds",
}
"""Names of the rules, in the order of the page."""
NOT_SET: Final = "of the service"
"""A limit that the facility does not set itself."""

EFFECTS: Final = {
    "none": "None of today's {total} numbers came like this.",
    "TAKE": "With this rule {count} of today's {total} take a place at once.",
    "EXPECT": "With this rule {count} of today's {total} would have waited for check-in.",
    "REFUSE": "With this rule {count} of today's {total} would have been refused.",
    "near": "Where phones were is not stored, so another distance cannot be tried on today.",
    "fullest": "Today's fullest second had {count} of {total} scans.",
    "limits": "With these limits {count} of today's {total} scans would have been told to try again.",
    "no_show": "{count} of today's {total} served people came to the counter later than this.",
}
"""What a rule would do to today's tickets."""
