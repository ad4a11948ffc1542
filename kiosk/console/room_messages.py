"""Sentences of the administrator's rooms that Python code shows."""

from typing import Final

STAFF_TROUBLE: Final = {
    "BadLogin": "A login is 2 to 64 small letters, digits and . _ @ -, beginning with a letter or digit.",
    "LoginTaken": "Your facility has the login already. Choose another one.",
    "UnknownLogin": "Nobody of this facility has this login.",
}
"""What is wrong with a login, by the name of the error."""

DONE: Final = {
    "take-back": "Taken back: what was set before is set again.",
    "look": "This is what these rules would do. Nothing is saved yet.",
}
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
