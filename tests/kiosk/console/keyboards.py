"""A scanner set to a US keyboard, on a PC that is set to another layout."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final

from playwright.async_api import CDPSession, Page

_CODES: Final = [
    "Backquote", *(f"Digit{digit}" for digit in "1234567890"), "Minus", "Equal",
    *(f"Key{letter}" for letter in "QWERTYUIOP"), "BracketLeft", "BracketRight", "Backslash",
    *(f"Key{letter}" for letter in "ASDFGHJKL"), "Semicolon", "Quote",
    *(f"Key{letter}" for letter in "ZXCVBNM"), "Comma", "Period", "Slash", "Space",
]  # fmt: skip
_US: Final = ("`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ ", '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>? ')
LAYOUTS: Final[dict[str, tuple[list[str], list[str]]]] = {
    name: (plain.split(), shifted.split())
    for name, plain, shifted in (
        (
            "German",
            "^ 1 2 3 4 5 6 7 8 9 0 ß Dead q w e r t z u i o p ü + # a s d f g h j k l ö ä y x c v b n m , . -",
            "° ! \" § $ % & / ( ) = ? Dead Q W E R T Z U I O P Ü * ' A S D F G H J K L Ö Ä Y X C V B N M ; : _",
        ),
        (
            "French",
            "² & é \" ' ( - è _ ç à ) = a z e r t y u i o p Dead $ * q s d f g h j k l m ù w x c v b n , ; : !",
            "~ 1 2 3 4 5 6 7 8 9 0 ° + A Z E R T Y U I O P Dead £ µ Q S D F G H J K L M % W X C V B N ? . / §",
        ),
        (
            "Hindi",
            "ॊ 1 2 3 4 5 6 7 8 9 0 - ृ ौ ै ा ी ू ब ह ग द ज ड \u093c ॉ ो े ् ि ु प र क त च ट ॆ ं म न व ल स , . य",
            "ऒ ऍ ॅ ्र र् ज्ञ त्र क्ष श्र ( ) ः ऋ औ ऐ आ ई ऊ भ ङ घ ध झ ढ ञ ऑ ओ ए अ इ उ फ ऱ ख थ छ ठ ऎ ँ ण ऩ ऴ ळ श ष । य\u093c",
        ),
        (
            "Urdu",
            "` 1 2 3 4 5 6 7 8 9 0 - = ق و ع ر ت ے ء ی ہ پ [ ] \\ ا س د ف گ ھ ج ک ل ؛ ' ز ش چ ط ب ن م ، ۔ /",
            '~ ! @ # $ ٪ ^ ۖ ٭ ) ( _ + ْ ّ ٰ ڑ ٹ َ ئ ِ ۃ ُ } { | آ ص ڈ ؐ غ ح ض خ ٔ : " ذ ژ ث ظ ؓ ں ٘ < > ؟',
        ),
    )
}
"""Keys by layout: alone, and with Shift. The space is added below."""
ALT_AND_CTRL: Final = 3
CTRL: Final = 2
SHIFT: Final = 8
_pressed_s = 0.0


async def scan(page: Page, text: str, *, layout: str = "US", closing: str = "Enter") -> None:
    """Press the keys that write ``text`` on a US keyboard, at a scanner's pace; the PC hears them in ``layout``."""
    session = await page.context.new_cdp_session(page)
    events = [event for character in text for event in events_on(session, layout, character)]
    if closing:
        events += key_events(session, closing, closing)
    await asyncio.gather(*events)
    await session.detach()


def events_on(session: CDPSession, layout: str, character: str) -> list[Coroutine[Any, Any, Any]]:
    shifted = character not in _US[0]
    at = _US[1 if shifted else 0].index(character)
    key = character if layout == "US" or character == " " else LAYOUTS[layout][1 if shifted else 0][at]
    return key_events(session, key, _CODES[at], SHIFT if shifted else 0)


def next_press_s() -> float:
    """When the scanner pressed the key: a busy machine hears it later."""
    global _pressed_s
    _pressed_s = max(time.time(), _pressed_s + 0.002)
    return _pressed_s


def key_events(session: CDPSession, key: str, code: str, modifiers: int = 0) -> list[Coroutine[Any, Any, Any]]:
    """A key goes down and comes up."""
    named = key in ("Dead", "Enter", "Tab") or modifiers == CTRL
    event = {"key": key, "code": code, "modifiers": modifiers, "timestamp": next_press_s()}
    down = {"type": "rawKeyDown" if named else "keyDown", **event, **({} if named else {"text": key})}
    return [
        session.send("Input.dispatchKeyEvent", down),
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event}),
    ]
