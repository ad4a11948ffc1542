"""Sentences of the page on which staff check a poster that hangs."""

from typing import Final

VERDICTS: Final = {
    "counter": "Right: this code leads to counter {counter}, queue {queue}.",
    "queue": "Right: this code leads to queue {queue}, whatever counter serves it.",
    "queue_at_counter": "Right queue: this code leads to queue {queue}, as counter {place} does. It is the"
    " queue's poster, not the counter's.",
    "counter_in_hall": "Right queue: this code leads to queue {queue}. It is the poster of counter"
    " {counter}: while that is closed, scans get no number.",
    "other_counter": "Wrong: this code leads to counter {counter}, queue {queue}, not to {place}. Hang it"
    " there, and the right one here.",
    "other_queue": "Wrong: this code leads to queue {queue}, not to {place}. Hang it there, and the right one here.",
    "nothing": "Wrong: this code names no counter and no queue of this hospital (“{text}”). Who"
    " scans it comes to queue {queue}.",
    "hospital": "Wrong: this code is another hospital's, of HIP id {hip}. Take it down.",
    "host": "Wrong: this code is made for {host}, but this service works with {own}. Print new posters.",
    "screen": "Wrong: this is a code of the screen of counter {counter}, and it ends. Print a poster of the counter.",
    "expired": "Wrong: this code was on a screen of this hospital, and it has expired. Print a poster of the counter.",
    "revoked": "Wrong: no key of this service made this code, or the key was revoked. Who scans it"
    " comes to queue {queue}.",
    "camera": "Wrong: this is the code for phones without an ABHA app, and it ends. It belongs on"
    " the screen of the counter.",
    "camera_expired": "Wrong: this is a code for phones without an ABHA app, and it has expired or is not"
    " ours. Take it down.",
    "ticket": "This is a patient's number, not a poster.",
    "foreign": "This is no code of Scan and Share. Take it down if it hangs where patients scan.",
}
"""Where the code leads, by what was found."""
TROUBLE: Final = {
    "text": "Scan the code of the poster.",
    "place": "Choose where the poster hangs.",
}
SCREEN: Final = {
    "looking": "Hold the camera before the code.",
    "none": "No code was found in the picture. Take it closer, with all four corners of the code.",
    "no_camera": "The camera cannot be used. Allow it, or take a picture.",
}
"""What the page's script shows."""
