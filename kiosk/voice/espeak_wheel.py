"""A program of its own: reads lines aloud into WAV files with the eSpeak NG of the wheel ``espeakng-loader``.

eSpeak NG is under the GPL. So it is never loaded into a process of the kiosk: ``rendering`` starts this file as a
separate program, which imports nothing of the kiosk and ends when the files are written.

Input, one JSON document: ``{"voice": "hi", "speed": 140, "lines": [["42", "/path/n42.wav"], …]}``. Exit code 1: the
voice is unknown, or eSpeak NG did not start; the reason stands on the error output.
"""

import ctypes
import json
import sys
import wave

import espeakng_loader

SYNCHRONOUS = 2
"""``AUDIO_OUTPUT_SYNCHRONOUS``: sound goes to the callback, none to a sound card."""
DO_NOT_EXIT = 0x8000
"""``espeakINITIALIZE_DONT_EXIT``: a fault is returned to us."""
UTF_8 = 1
SPEED = 1
"""``espeakRATE``, words a minute."""
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> int:
    job = json.load(sys.stdin)
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), DO_NOT_EXIT)
    if rate <= 0:
        return _fail("eSpeak NG did not start: are the files of espeakng-loader whole?")
    if library.espeak_SetVoiceByName(job["voice"].encode()) != 0:
        return _fail(f"eSpeak NG has no voice {job['voice']}")
    library.espeak_SetParameter(SPEED, job["speed"], 0)
    heard = bytearray()

    def hear(samples: object, count: int, _events: object) -> int:
        if samples and count > 0:
            heard.extend(ctypes.string_at(samples, 2 * count))  # type: ignore[arg-type]
        return 0

    callback = CALLBACK(hear)  # the name keeps it alive while eSpeak NG calls it
    library.espeak_SetSynthCallback(callback)
    for text, path in job["lines"]:
        heard.clear()
        spoken = text.encode() + b"\0"
        library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, 1, 0, UTF_8, None, None)
        with wave.open(path, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(bytes(heard))
    return 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
