"""Sentences about the counters of a facility and who sits at them, for the desk and the choice of counters."""

from typing import Final

DESK: Final = {
    "beside": "{names} sits here too.",
    "beside_many": "{names} sit here too.",
    "break": "Back at {time}: the hall shows it. O, or the next call, ends the break.",
    "break_title": "Break: when is counter {counter} back?",
    "break_minutes": "{minutes} minutes",
    "break_back": "back {time}",
    "counter_idle": "nobody called",
    "counter_empty": "nobody sits here",
    "counter_shut": "closed",
    "counter_mine": "this counter",
    "minutes": "{minutes} min",
    "moves": {
        "next": "Next",
        "call": "Call {token}",
        "start": "Start {token}",
        "finish": "Finish {token}",
        "hold": "Hold {token}",
        "no-show": "No-show {token}",
        "bring-back": "Bring back {token}",
        "check-in": "Check in {token}",
        "transfer": "Transfer {token}",
        "lane": "Priority {token}",
        "cancel": "Cancel {token}",
    },
    "pending": "Waiting for the network, in this order ({count}):",
    "pending_made": "The network is back. Made: {made}. Not made: {lost}.",
    "pending_full": "{count} moves wait for the network; no more can wait. Note the next ones on paper.",
    "pending_left": "These moves were not sent: {moves}.",
    "pending_tag": "not sent yet",
    "held": "{move}: waits for the network ({count}). U takes it back.",
    "taken_back": "Taken back: {move}.",
    "was_sent": "{move} was sent, and the answer did not come. Wait for the network to know.",
    "needs_network": "This needs the network.",
    "next_waits": "Next waits for the network. Whom it calls is not known yet.",
    "follows": "not sent, because “{move}” was not made.",
    "hand_over_later": "Moves wait for the network. Hand over when they are made.",
    "note_tag": "note",
    "note_title": "Note on {token} for whoever serves it next. Only staff see it.",
    "why_sooner": "Why does {token} go sooner?",
    "why_sooner_new": "Why does this person go sooner?",
    "by_age": "By age",
    "came": "{token} was called here. Did the patient come?",
}
"""Words for the page's script."""

BREAK_BEGUN: Final = "Counter {counter} is back at {time}."
BREAK_ENDED: Final = "The break of counter {counter} is over."
BREAK_NONE: Final = "Counter {counter} has no break, or does not exist."
BREAK_ODD: Final = "Choose 1 to {most} minutes, or a time within {most} minutes from now, such as 11:10."
NOTE_WRITTEN: Final = "The note is on {token}."
NOTE_REMOVED: Final = "{token} has no note now."
