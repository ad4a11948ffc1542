"""A person's recording becomes a clip: words found, level checked, as loud as the other clips."""

from array import array
from enum import StrEnum
from typing import Final

from kiosk.voice.sound import CLIP_MAX_BYTES, LOUDEST, QUIET, RATE, NotSound, as_samples, points_of, samples_of

FRAME: Final = RATE // 100
"""Ten milliseconds: shorter than any sound of speech."""
RUN: Final = 3
"""Loud frames in a row that are a voice. A knock on the table or a key's click is shorter."""
FLOOR_SHARE: Final = 10
"""A tenth of the frames are quieter than the noise of the room: nobody speaks from the first moment to the last."""
OVER_FLOOR: Final = 3
"""A voice is so many times as loud as the noise of the room."""
UNDER_PEAK: Final = 8
"""A soft consonant is some 18 dB under the loudest vowel: more is never taken for noise."""
MARGIN: Final = 8
"""Frames left before and behind the words: a soft beginning or end is longer than in a computer's voice."""
FADE: Final = RATE // 200
"""Samples over which the edges fade, so that a room's hum does not begin with a click."""
FULL: Final = 32_600
"""Of 32,768: a microphone that reaches it cuts the tops of the waves."""
CUT_SHARE: Final = 200
"""One cut sample in so many is heard as a rasp."""
FAINT: Final = 2_000
"""A lower peak was spoken far from the microphone: made loud, its noise would be as loud as the words."""
SHORTEST_S: Final = 0.12
"""The shortest word of a number takes a fifth of a second."""
LONGEST_S: Final = 4.0
"""The longest phrase takes three seconds of a slow speaker."""
RECORDING_MAX_BYTES: Final = CLIP_MAX_BYTES


class Fault(StrEnum):
    """Why a recording is not taken. The value says it to an operator."""

    FORM = "no sound of our form"
    NOTHING = "nothing is heard in it"
    FAINT = "too faint: speak nearer to the microphone"
    CUT = "too loud for the microphone: its sound rasps"
    SHORT = "shorter than a word"
    LONG = "longer than a phrase, or the room is too loud"


class BadRecording(NotSound):
    """The recording is not taken; ``fault`` says why."""

    def __init__(self, fault: Fault, sentence: str = "") -> None:
        super().__init__(sentence or fault.value)
        self.fault = fault


def recorded(data: bytes) -> bytes:
    """The samples of the words in this WAV file. Raises BadRecording."""
    try:
        points = _centred(points_of(samples_of(data)))
    except NotSound as wrong:
        raise BadRecording(Fault.FORM, str(wrong)) from None
    speech = _speech(points)
    peak = max(max(speech), -min(speech))
    if sum(1 for point in speech if abs(point) >= FULL) * CUT_SHARE > len(speech):
        raise BadRecording(Fault.CUT)
    if peak < FAINT:
        raise BadRecording(Fault.FAINT)
    return as_samples(_faded(array("h", (int(point * LOUDEST / peak) for point in speech))))


def seconds(samples: bytes) -> float:
    """How long these samples sound."""
    return len(samples) / 2 / RATE


def _centred(points: "array[int]") -> "array[int]":
    """Without the steady part that cheap microphones add."""
    middle = sum(points) // len(points)
    return array("h", (max(-32_768, min(32_767, point - middle)) for point in points))


def _speech(points: "array[int]") -> "array[int]":
    """From the first sound of the voice to its last. Raises BadRecording."""
    frames = [points[at : at + FRAME] for at in range(0, len(points), FRAME)]
    levels = [max(max(frame), -min(frame)) for frame in frames]
    floor = sorted(levels)[len(levels) // FLOOR_SHARE]
    bound = max(QUIET, min(floor * OVER_FLOOR, max(levels) // UNDER_PEAK))
    runs = [at for at in range(len(levels) - RUN + 1) if min(levels[at : at + RUN]) > bound]
    if not runs:
        raise BadRecording(Fault.NOTHING)
    length = (runs[-1] + RUN - runs[0]) * FRAME / RATE
    if length < SHORTEST_S:
        raise BadRecording(Fault.SHORT)
    if length > LONGEST_S:
        raise BadRecording(Fault.LONG)
    return points[max(0, runs[0] - MARGIN) * FRAME : (runs[-1] + RUN + MARGIN) * FRAME]


def _faded(points: "array[int]") -> "array[int]":
    for at in range(min(FADE, len(points) // 2)):
        points[at] = points[at] * at // FADE
        points[-1 - at] = points[-1 - at] * at // FADE
    return points
