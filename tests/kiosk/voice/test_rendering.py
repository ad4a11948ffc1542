"""eSpeak NG makes the clips, in a process of its own."""

import shutil
import subprocess
import sys
from array import array
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from kiosk.__main__ import program
from kiosk.cli.running import with_store
from kiosk.settings import load
from kiosk.voice import rendering
from kiosk.voice.clips import Clips
from kiosk.voice.parts import all_parts, short_parts
from kiosk.voice.rendering import CannotRender, render
from kiosk.voice.sound import RATE, silence, wav
from queueing.audit import Audit
from queueing.models import Facility
from queueing.registry import Registry

FACILITY = Facility(hip_id="IN01", name="Hospital", latitude=34.2, longitude=74.3)


def seconds(clips: Clips, language: str, part: str) -> float:
    samples = clips.read(language, part)
    assert samples is not None
    return len(samples) / 2 / RATE


def run(monkeypatch: pytest.MonkeyPatch, data: Path, *arguments: str) -> Result:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    return CliRunner().invoke(program, ["voice", *arguments])


def test_english_hindi_and_urdu_are_made_and_the_silent_languages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)  # the wheel, which every test machine has
    result = run(monkeypatch, tmp_path, "make", "--json")
    assert result.exit_code == 0, result.output
    assert msgspec.json.decode(result.stdout) == {
        "made": {code: len(all_parts(code)) for code in ("en", "hi", "ur")},
        "silent": ["pa", "ks", "doi"],
    }
    clips = Clips(tmp_path)
    for code in ("en", "hi", "ur"):
        assert clips.missing(code) == []
        assert 0.3 < seconds(clips, code, "n42") < 1.5
        assert seconds(clips, code, "please") > seconds(clips, code, "letter-a")
        samples = clips.read(code, "n7")
        assert samples is not None
        assert max(map(abs, array("h", samples))) > 20_000
    listed = msgspec.json.decode(run(monkeypatch, tmp_path, "list", "--json").stdout)
    assert [row["language"] for row in listed if row["speaks"]] == ["en", "hi", "ur"]
    for code in ("en", "hi", "ur"):
        for number in (*range(200), 1042):
            assert clips.call("IN01", code, f"M-{number:03}", "M1") is not None, (code, number)
        assert len({clips.read(code, f"n{number}") for number in range(100)}) == 100, "two numbers sound the same"
    file = tmp_path / "call.wav"
    written = run(monkeypatch, tmp_path, "say", "hi", "m-142", "m1", str(file))
    assert written.exit_code == 0, written.output
    assert file.read_bytes() == clips.call("IN01", "hi", "M-142", "M1")
    assert "ks has not all clips" in str(run(monkeypatch, tmp_path, "say", "ks", "M-1", "M1", str(file)).exception)


def test_recordings_of_a_hospital_make_a_silent_language_speak_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = msgspec.json.decode(run(monkeypatch, tmp_path, "phrases", "ks", "--json").stdout)
    first = [row["clip"] for row in listed if row["first"]]
    assert first == list(short_parts("ks"))
    assert len(listed) == len(all_parts("ks"))
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    for part in first:
        (recorded / f"{part}.wav").write_bytes(wav(silence(0.5) + b"\0\x20\0\xe0" * (RATE // 10) + silence(0.5)))
    with_store(load({"KIOSK_DATA_DIR": str(tmp_path)}), lambda store: Registry(store).put_facility(FACILITY))
    for name, content in {"n42.wav": wav(silence(1.0)), "n100.wav": wav(b"\0\x20" * RATE), "n1.wav": b"RIFF"}.items():
        (recorded / name).write_bytes(content)
    result = run(monkeypatch, tmp_path, "add", "ks", str(recorded), "--facility", "IN01", "--json")
    assert result.exit_code == 0, result.output
    report = msgspec.json.decode(result.stdout)
    assert sorted(report["taken"]) == sorted(set(first) - {"n1"})
    assert report["refused"] == {
        "n1.wav": "not a WAV file", "n42.wav": "nothing is heard in it", "n100.wav": "ks has no part 'n100'",
    }  # fmt: skip
    assert report["missing"] == ["n1"]
    clips = Clips(tmp_path)
    assert clips.call("IN01", "ks", "M-001", "M2") is None
    (recorded / "n1.wav").write_bytes(wav(b"\0\x20\0\xe0" * (RATE // 10)))
    assert "ks speaks" in run(monkeypatch, tmp_path, "add", "ks", str(recorded), "--facility", "IN01").stdout
    assert clips.call("IN01", "ks", "M-042", "M2") is not None
    assert clips.call("IN02", "ks", "M-042", "M2") is None
    # The half second of silence before and behind the words is gone.
    assert len(clips.read("ks", "n2", "IN01") or b"") / 2 / RATE == pytest.approx(0.2 + 2 * 0.08, abs=0.02)
    entries = with_store(load({"KIOSK_DATA_DIR": str(tmp_path)}), lambda store: Audit(store).read("IN01"))
    assert [(entry.kind, entry.by, entry.why) for entry in entries if "voice" in entry.kind] == [
        ("admin_voice-add", "(command line)", "ks: 39 phrases from files"),
        ("admin_voice-add", "(command line)", "ks: 38 phrases from files"),
    ]
    unknown = run(monkeypatch, tmp_path, "add", "ks", str(recorded), "--facility", "IN99")
    assert "no facility IN99" in str(unknown.exception)
    assert clips.names("ks", "IN99") == frozenset()
    assert run(monkeypatch, tmp_path, "add", "ks", str(tmp_path)).exit_code != 0


def test_a_language_without_a_voice_is_said_and_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, tmp_path, "make", "--languages", "ks,doi")
    assert result.exit_code != 0
    assert "ks: silent. eSpeak NG has no voice for ks: record it" in result.stdout
    assert "doi: silent. eSpeak NG has no voice for doi: record it" in result.stdout
    assert run(monkeypatch, tmp_path, "make", "--languages", "xx").exit_code == 2


def test_without_espeak_the_operator_reads_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "renderer", lambda: "")
    with pytest.raises(CannotRender, match="apt-get install espeak-ng"):
        render(Clips(tmp_path), "en")
    assert Clips(tmp_path).names("en") == frozenset()


def test_the_program_on_the_path_is_started_once_for_each_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that stands in for Debian's: it takes the same words of the command line."""
    script = tmp_path / "bin" / "espeak-ng"
    script.parent.mkdir()
    script.write_text(
        f"#!{sys.executable}\n"
        "import sys, wave\n"
        "_, v, voice, s, speed, w, path, dashes, text = sys.argv\n"
        "assert (v, voice, s, speed, w, dashes) == ('-v', 'ur', '-s', '140', '-w', '--'), sys.argv\n"
        "with wave.open(path, 'wb') as f:\n"
        f"    f.setparams((1, 2, {RATE}, 0, 'NONE', ''))\n"
        "    f.writeframes(bytes([0, 60]) * (200 * len(text)))\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    monkeypatch.setattr(rendering, "phrases", lambda _: {"number": "نمبر", "n42": "42"})
    clips = Clips(tmp_path)
    assert render(clips, "ur") == 2
    assert clips.names("ur") == {"number", "n42"}
    assert seconds(clips, "ur", "number") == pytest.approx(2 * seconds(clips, "ur", "n42"))


def test_a_failure_of_espeak_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(rendering.VOICES, "en", "no-such-voice")
    with pytest.raises(CannotRender, match="eSpeak NG has no voice no-such-voice"):
        render(Clips(tmp_path), "en")


def test_the_service_never_loads_espeak() -> None:
    """The GPL would reach the whole program otherwise."""
    code = "import sys, kiosk.app, kiosk.cli.voice; sys.exit(any('espeak' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
