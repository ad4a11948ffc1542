"""Sentences of the page on which a hospital records its own voice."""

from typing import Final

from kiosk.voice.recording import LONGEST_S, Fault

FAULTS: Final = {
    Fault.FORM: "This is no sound that the page can take. Choose another file.",
    Fault.NOTHING: "Nothing was heard. Look whether the microphone is plugged in and not muted, then record again.",
    Fault.FAINT: "Too faint. Speak nearer to the microphone and record again.",
    Fault.CUT: "Too loud: the sound rasps. Speak a little farther from the microphone and record again.",
    Fault.SHORT: "Shorter than a word. Record again, and stop after the last word.",
    Fault.LONG: f"Longer than {LONGEST_S:.0f} seconds. Say these words alone, in a quiet room, and record again.",
}
"""Why a recording is not taken, and what to do."""

SAVED: Final = "Saved: {words}, {seconds:.1f} seconds."
REMOVED: Final = "Taken away: {words}."
END: Final = "go (the end of the sentence)"
"""The meaning of a phrase that English has not: its verb stands in front."""
NOT_OWN: Final = "This hospital has no recording of it."

PAGE: Final = {
    "own": "yours",
    "common": "of the kiosk",
    "missing": "missing",
    "no_microphone": (
        "This browser gives no microphone to this page: open the console by https, or choose a sound file for each"
        " phrase."
    ),
    "not_allowed": (
        "The browser did not give the microphone: allow it beside the address and look whether one is plugged in, or"
        " choose a sound file for each phrase."
    ),
    "speak": "Say it now: {words}",
    "sending": "Saving…",
    "stopped": "Stopped. Nothing was saved.",
    "not_sound": "This file cannot be read as sound. Choose another one.",
    "all_there": "Nothing is missing any more.",
    "record": "Record",
    "stop": "Stop",
    "cannot_hear": "There is nothing to hear yet: phrases are missing.",
    "no_answer": "No answer from the kiosk. Nothing was saved: try again.",
    "signed_out": "You were signed out. Load the page again.",
    "speaks": (
        "Boards speak this language. {left} phrases are still missing: without them numbers are said digit by digit."
    ),
    "speaks_whole": "Boards speak this language, with every number as people say it.",
    "silent": "Boards are silent in this language: {left} of the first phrases are missing.",
}  # fmt: skip
"""What the page's script says."""
