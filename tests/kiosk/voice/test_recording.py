"""A person's recording: the words are found, the level is judged, and what is no speech is refused."""

import contextlib
import math
import random
from array import array
from collections.abc import Callable

import pytest

from kiosk.voice.recording import LONGEST_S, BadRecording, Fault, recorded, seconds
from kiosk.voice.sound import LOUDEST, RATE, silence, wav


def tone(length_s: float, loud: int = 12_000, middle: int = 0) -> bytes:
    points = (middle + int(loud * math.sin(2 * math.pi * 220 * at / RATE)) for at in range(round(length_s * RATE)))
    return array("h", (max(-32_768, min(32_767, point)) for point in points)).tobytes()


def room(length_s: float, loud: int) -> bytes:
    """The noise of a room."""
    noise = random.Random(7)
    return array("h", (noise.randint(-loud, loud) for _ in range(round(length_s * RATE)))).tobytes()


def peak(samples: bytes) -> int:
    return max(abs(point) for point in array("h", samples))


def fault_of(data: bytes) -> Fault:
    with pytest.raises(BadRecording) as refused:
        recorded(data)
    return refused.value.fault


def test_the_words_stay_and_the_silence_around_them_goes() -> None:
    speech = recorded(wav(silence(0.8) + tone(0.5) + silence(1.2)))
    assert seconds(speech) == pytest.approx(0.5 + 2 * 0.08, abs=0.025)
    assert peak(speech) == pytest.approx(LOUDEST, rel=0.01)


def test_the_noise_of_a_room_is_taken_for_silence() -> None:
    speech = recorded(wav(room(1.0, 900) + tone(0.5) + room(1.0, 900)))
    assert seconds(speech) == pytest.approx(0.5 + 2 * 0.08, abs=0.025)


def test_a_soft_end_of_a_word_is_kept() -> None:
    speech = recorded(wav(silence(0.3) + tone(0.4) + tone(0.2, loud=2_500) + silence(0.5)))
    assert seconds(speech) == pytest.approx(0.6 + 2 * 0.08, abs=0.025)


def test_a_pause_between_two_words_is_kept() -> None:
    speech = recorded(wav(silence(0.3) + tone(0.3) + silence(0.4) + tone(0.3) + silence(0.5)))
    assert seconds(speech) == pytest.approx(1.0 + 2 * 0.08, abs=0.025)


def test_the_click_of_a_key_is_no_word() -> None:
    click = array("h", [20_000, -20_000] * 100).tobytes()
    speech = recorded(wav(click + silence(0.6) + tone(0.5) + silence(0.6) + click))
    assert seconds(speech) == pytest.approx(0.5 + 2 * 0.08, abs=0.025)
    assert fault_of(wav(click + silence(0.6) + click)) == Fault.NOTHING


def test_a_steady_part_of_a_cheap_microphone_is_taken_off() -> None:
    hum = array("h", [3_000] * (RATE // 2)).tobytes()
    speech = recorded(wav(hum + tone(0.5, middle=3_000) + hum))
    assert seconds(speech) == pytest.approx(0.5 + 2 * 0.08, abs=0.03)
    assert abs(sum(array("h", speech))) < len(speech) * 50


def test_the_edges_are_silent() -> None:
    points = array("h", recorded(wav(room(0.5, 900) + tone(0.5) + room(0.5, 900))))
    assert (points[0], points[-1]) == (0, 0)


@pytest.mark.parametrize(
    ("sound", "fault"),
    [
        (lambda: silence(2.0), Fault.NOTHING),
        (lambda: room(2.0, 300), Fault.NOTHING),
        (lambda: silence(0.5) + tone(0.5, loud=900) + silence(0.5), Fault.FAINT),
        (lambda: silence(0.5) + tone(0.5, loud=60_000) + silence(0.5), Fault.CUT),
        (lambda: silence(0.5) + tone(0.06) + silence(0.5), Fault.SHORT),
        (lambda: silence(0.2) + tone(LONGEST_S + 0.2) + silence(0.2), Fault.LONG),
        (lambda: b"", Fault.FORM),
        (lambda: tone(6.1), Fault.FORM),
    ],
)
def test_what_boards_could_not_use_is_refused_with_its_reason(sound: Callable[[], bytes], fault: Fault) -> None:
    assert fault_of(wav(sound())) == fault


def test_bytes_that_are_no_sound_are_refused() -> None:
    whole = wav(silence(0.2) + tone(0.5) + silence(0.2))
    dice = random.Random(3)
    for data in (b"", b"RIFF", b"\x1aE\xdf\xa3webm", whole[:30], whole[:44], dice.randbytes(4_000)):
        assert fault_of(data) == Fault.FORM
    for _ in range(300):  # a header with one wrong byte is read or refused, nothing else
        damaged = bytearray(whole)
        damaged[dice.randrange(44)] = dice.randrange(256)
        with contextlib.suppress(BadRecording):
            assert seconds(recorded(bytes(damaged))) <= LONGEST_S + 0.2
