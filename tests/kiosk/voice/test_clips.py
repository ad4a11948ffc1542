"""Clips on disk, and the joined sound of a call."""

import functools
import io
import math
import os
import wave
from array import array
from pathlib import Path

import pytest

from kiosk.voice import clips as clips_module
from kiosk.voice.clips import Clips
from kiosk.voice.parts import PAUSE, all_parts, call_parts, short_parts
from kiosk.voice.sound import GAP_S, PAUSE_S, RATE, TAIL_S, NotSound, samples_of, silence, tidied, wav

HIP = "IN0110000001"
OTHER = "IN/../0110000002"


@functools.cache
def tone(seconds: float, loud: int = 12_000) -> bytes:
    """A tone of 440 Hz that begins loud, so that no sample of its edges counts as silence."""
    points = (int(loud * math.cos(2 * math.pi * 440 * at / RATE)) for at in range(round(seconds * RATE)))
    return array("h", points).tobytes()


def fill(clips: Clips, language: str, parts: tuple[str, ...], seconds: float = 0.1, hip: str = "") -> None:
    for part in parts:
        clips.save(language, part, tone(seconds), hip)


def seconds_of(sound: bytes | None) -> float:
    assert sound is not None
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return float(file.getnframes() / RATE)


@pytest.mark.parametrize("token", ["M-000", "M-007", "M-042", "M-100", "M-142", "M-1042"])
@pytest.mark.parametrize("language", ["en", "hi", "ur", "ks", "doi"])
def test_a_joined_call_is_as_long_as_its_parts(tmp_path: Path, language: str, token: str) -> None:
    clips = Clips(tmp_path)
    lengths = {part: 0.05 + 0.001 * at for at, part in enumerate(all_parts(language))}
    for part, seconds in lengths.items():
        clips.save(language, part, tone(seconds))
    parts = [part for part in call_parts(language, token, "M1") if part != PAUSE]
    wanted = sum(lengths[part] + GAP_S for part in parts) + PAUSE_S + TAIL_S
    assert seconds_of(clips.call(HIP, language, token, "M1")) == pytest.approx(wanted, abs=0.001)


def test_nothing_of_a_clip_is_cut_when_clips_are_joined(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    fill(clips, "en", all_parts("en"))
    clips.save("en", "n42", tone(0.3, loud=20_000))
    sound = clips.call(HIP, "en", "M-042", "M1")
    assert sound is not None
    assert tone(0.3, loud=20_000) in sound


def test_the_hospitals_own_voice_wins_and_only_there(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    fill(clips, "hi", all_parts("hi"), 0.1)
    fill(clips, "hi", all_parts("hi"), 0.2, HIP)
    common, own = (seconds_of(clips.call(hip, "hi", "M-042", "M1")) for hip in (OTHER, HIP))
    parts = [part for part in call_parts("hi", "M-042", "M1") if part != PAUSE]
    assert own - common == pytest.approx(0.1 * len(parts), abs=0.001)


def test_a_whole_call_in_one_voice_is_better_than_two_voices(tmp_path: Path) -> None:
    """The hospital has digits alone: its voice says *four two* rather than lend *forty-two* from the service."""
    clips = Clips(tmp_path)
    fill(clips, "en", all_parts("en"), 0.1)
    fill(clips, "en", short_parts("en"), 0.2, HIP)
    assert seconds_of(clips.call(HIP, "en", "M-042", "M1")) == pytest.approx(
        7 * (0.2 + GAP_S) + PAUSE_S + TAIL_S, abs=0.001
    )


def test_a_few_own_clips_are_mixed_with_the_services(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    fill(clips, "en", all_parts("en"), 0.1)
    fill(clips, "en", ("please",), 0.5, HIP)
    assert seconds_of(clips.call(HIP, "en", "M-042", "M1")) == pytest.approx(
        5 * (0.1 + GAP_S) + 0.5 + GAP_S + PAUSE_S + TAIL_S, abs=0.001
    )


def test_a_language_without_clips_is_silent_and_says_what_is_missing(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    assert clips.call(HIP, "ks", "M-042", "M1") is None
    assert clips.call(HIP, "xx", "M-042", "M1") is None
    assert not clips.can_speak("ks", HIP)
    assert clips.missing("ks") == list(all_parts("ks"))
    fill(clips, "ks", short_parts("ks"), hip=HIP)
    assert clips.can_speak("ks", HIP)
    assert not clips.can_speak("ks", OTHER)
    assert "n42" in clips.missing("ks", HIP)


def test_a_new_clip_is_heard_with_the_next_call(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    fill(clips, "en", all_parts("en"))
    first = seconds_of(clips.call(HIP, "en", "M-001", "M1"))
    Clips(tmp_path).save("en", "n1", tone(0.6))  # as another process would
    assert seconds_of(clips.call(HIP, "en", "M-001", "M1")) == pytest.approx(first + 1.0, abs=0.001)


def test_the_same_call_is_joined_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = Clips(tmp_path)
    fill(clips, "en", all_parts("en"))
    before = clips.call(HIP, "en", "M-001", "M1")
    monkeypatch.setattr(clips, "read", lambda *_: pytest.fail("read again"))
    assert clips.call(HIP, "en", "M-001", "M1") is before


def test_the_cache_stays_within_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = Clips(tmp_path)
    fill(clips, "en", all_parts("en"))
    call = clips.call(HIP, "en", "M-001", "M1")
    assert call is not None
    monkeypatch.setattr(clips_module, "CACHE_BYTES", 3 * len(call) + 1_000)
    for number in range(1, 10):
        clips.call(HIP, "en", f"M-{number:03}", "M1")
    assert len(clips._cache) == 3
    assert clips._cached_bytes == sum(map(len, clips._cache.values()))
    assert clips.call(HIP, "en", "M-009", "M1") is next(reversed(clips._cache.values()))


def test_a_damaged_clip_makes_the_call_silent(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    fill(clips, "en", all_parts("en"))
    (clips.folder("en") / "n42.wav").write_bytes(b"RIFF")
    assert clips.call(HIP, "en", "M-042", "M1") is None


def test_a_hospitals_folder_lies_below_the_voice_folder_whatever_its_id_is(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    for hip in (HIP, OTHER, "../../etc", "en"):
        folder = clips.folder("en", hip)
        assert folder.resolve().parent.parent == tmp_path / "voice"
        assert folder.parent.name not in {"en", "hi"}
    assert len({clips.folder("en", hip) for hip in (HIP, OTHER, "")}) == 3


def test_only_known_parts_are_written(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    for language, part in (("en", "../n1"), ("en", "go"), ("hi", "and")):
        with pytest.raises(ValueError, match="no part"):
            clips.save(language, part, tone(0.1))
    with pytest.raises(ValueError, match="no language"):
        clips.folder("../en")
    assert os.listdir(tmp_path) == []


def test_silence_around_the_words_is_taken_off_and_quiet_words_become_louder() -> None:
    quiet = silence(0.5) + tone(0.4, loud=6_000) + silence(1.0)
    tidy = tidied(quiet)
    assert len(tidy) / 2 / RATE == pytest.approx(0.44, abs=0.005)
    assert max(array("h", tidy)) == pytest.approx(26_000, abs=100)


def test_a_whisper_far_from_the_microphone_is_not_blown_up_without_end() -> None:
    assert max(array("h", tidied(tone(0.4, loud=1_000)))) == pytest.approx(8_000, abs=100)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a WAV"),
        (b"RIFF\x04\0\0\0WAVE", "not a WAV"),
        (wav(tone(0.1))[:20], "not a WAV"),
        (wav(b""), "no whole samples"),
        (wav(tone(6.1)), "longer than"),
    ],
)
def test_what_is_no_clip_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(NotSound, match=why):
        samples_of(data)


def test_another_form_of_wav_is_refused() -> None:
    for channels, width, rate in ((2, 2, RATE), (1, 1, RATE), (1, 2, 44_100)):
        file = io.BytesIO()
        with wave.open(file, "wb") as clip:
            clip.setnchannels(channels)
            clip.setsampwidth(width)
            clip.setframerate(rate)
            clip.writeframes(bytes(400))
        with pytest.raises(NotSound, match="16-bit mono"):
            samples_of(file.getvalue())


def test_a_recording_without_a_voice_is_refused() -> None:
    with pytest.raises(NotSound, match="nothing is heard"):
        tidied(silence(1.0))
