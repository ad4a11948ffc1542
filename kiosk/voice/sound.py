"""Clips as sound: 16-bit mono WAV, trimmed, made equally loud, and joined."""

import io
import struct
import sys
import wave
from array import array
from collections.abc import Iterable
from typing import Final

RATE: Final = 22_050
"""Samples a second: what eSpeak NG makes, and enough for speech."""
WIDTH: Final = 2
"""Bytes of a sample."""
GAP_S: Final = 0.04
"""Between two parts: with less, words run into each other; with more, a number falls apart."""
PAUSE_S: Final = 0.35
"""Between two sentences."""
TAIL_S: Final = 0.15
"""Behind the last word: some televisions end a sound a moment early."""
CLIP_MAX_S: Final = 6
"""The longest phrase takes three seconds of a slow speaker."""
HEADER_BYTES: Final = 44
"""Of a plain WAV file."""
CLIP_MAX_BYTES: Final = HEADER_BYTES + CLIP_MAX_S * RATE * WIDTH
QUIET: Final = 400
"""Of 32,768. Below it a recording holds the noise of a room, about 38 dB under the loudest word."""
_MARGIN_S: Final = 0.02
"""Left before and behind the words, so that no soft consonant is cut."""
LOUDEST: Final = 26_000
"""The peak of every clip, about 2 dB under what a sample can hold."""
_MOST_GAIN: Final = 8
"""A recording that needs more was made far from the microphone, and its noise would become loud."""


class NotSound(ValueError):
    """The bytes are no WAV of our form. ``str`` says what is wrong."""


def samples_of(data: bytes, longest_s: int = CLIP_MAX_S) -> bytes:
    """The samples of a clip. Raises NotSound."""
    if len(data) > HEADER_BYTES + longest_s * RATE * WIDTH:
        raise NotSound(f"longer than {longest_s} seconds")
    try:
        with wave.open(io.BytesIO(data)) as clip:
            form = (clip.getnchannels(), clip.getsampwidth(), clip.getframerate())
            frames: bytes = clip.readframes(clip.getnframes())
    except (wave.Error, EOFError, RuntimeError, OSError, ValueError, struct.error) as failure:
        # The library raises each of these for a damaged header.
        raise NotSound("not a WAV file") from failure
    if form != (1, WIDTH, RATE):
        raise NotSound(f"not 16-bit mono of {RATE} samples a second")
    if not frames or len(frames) % WIDTH:
        raise NotSound("no whole samples")
    return frames


def wav(samples: bytes) -> bytes:
    """A WAV file of these samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as clip:
        clip.setnchannels(1)
        clip.setsampwidth(WIDTH)
        clip.setframerate(RATE)
        clip.writeframes(samples)
    return file.getvalue()


def silence(seconds: float) -> bytes:
    return bytes(WIDTH * round(seconds * RATE))


def tidied(samples: bytes) -> bytes:
    """Without the silence around the words, and as loud as the other clips. Raises NotSound when nothing is heard."""
    points = points_of(samples)
    loud = [at for at, point in enumerate(points) if abs(point) > QUIET]
    if not loud:
        raise NotSound("nothing is heard in it")
    margin = round(_MARGIN_S * RATE)
    speech = points[max(0, loud[0] - margin) : loud[-1] + 1 + margin]
    gain = min(LOUDEST / max(abs(point) for point in speech), _MOST_GAIN)
    return as_samples(array("h", (int(point * gain) for point in speech)))


def joined(pieces: Iterable[bytes | None]) -> bytes:
    """One WAV of clips' samples, short silences between them. None is the end of a sentence."""
    found = bytearray()
    for piece in pieces:
        if piece is None:
            found += silence(PAUSE_S)
        else:
            found += piece + silence(GAP_S)
    return wav(bytes(found + silence(TAIL_S)))


def points_of(samples: bytes) -> "array[int]":
    points = array("h", samples)
    if sys.byteorder == "big":
        points.byteswap()
    return points


def as_samples(points: "array[int]") -> bytes:
    if sys.byteorder == "big":
        points.byteswap()
    return points.tobytes()
