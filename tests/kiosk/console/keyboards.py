"""A scanner set to a US keyboard, on a PC that is set to another layout."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import CDPSession, Page

_CODES: Final = [
    "Backquote", *(f"Digit{digit}" for digit in "1234567890"), "Minus", "Equal",
    *(f"Key{name}" for name in "QWERTYUIOP"), "BracketLeft", "BracketRight", "Backslash",
    *(f"Key{name}" for name in "ASDFGHJKL"), "Semicolon", "Quote",
    *(f"Key{name}" for name in "ZXCVBNM"), "Comma", "Period", "Slash", "Space",
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
LATER_S: Final = 1.0
"""Keys before are long past: a test presses them quicker than a person."""
SILENCE_MS: Final = 400
ALT_AND_CTRL: Final = 3
ALT: Final = 1
CTRL: Final = 2
SHIFT: Final = 8


@asynccontextmanager
async def at_one_moment(page: Page) -> AsyncIterator[None]:
    """The page's clock stands, so that keys have no time between them however busy this machine is. After them comes a
    silence in which a person's key does its work, and the clock goes on.
    """
    now_ms = await page.evaluate("Date.now()")
    await page.clock.pause_at(now_ms / 1000 + LATER_S)
    yield
    await page.clock.run_for(SILENCE_MS)
    await page.clock.resume()


async def scan(page: Page, text: str, *, layout: str = "US", closing: str = "Enter") -> None:
    """Press the keys that write ``text`` on a US keyboard, as a scanner does; the PC hears them in ``layout``."""
    session = await page.context.new_cdp_session(page)
    events = [event for character in text for event in events_on(session, layout, character)]
    if closing:
        events += key_events(session, closing, closing)
    async with at_one_moment(page):
        await asyncio.gather(*events)
    await session.detach()


def events_on(session: CDPSession, layout: str, character: str) -> list[Coroutine[Any, Any, Any]]:
    shifted = character not in _US[0]
    at = _US[1 if shifted else 0].index(character)
    key = character if layout == "US" or character == " " else LAYOUTS[layout][1 if shifted else 0][at]
    return key_events(session, key, _CODES[at], SHIFT if shifted else 0)


def alt_events(session: CDPSession, character: str) -> list[Coroutine[Any, Any, Any]]:
    """Alt goes down, four digits, Alt comes up: Windows makes a character of it."""
    digits = [event for digit in f"{ord(character):04}" for event in key_events(session, digit, f"Numpad{digit}", ALT)]
    alt = {"key": "Alt", "code": "AltLeft"}
    down = session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **alt, "modifiers": ALT})
    return [down, *digits, session.send("Input.dispatchKeyEvent", {"type": "keyUp", **alt})]


def key_events(session: CDPSession, key: str, code: str, modifiers: int = 0) -> list[Coroutine[Any, Any, Any]]:
    """A key goes down and comes up."""
    named = key in ("Dead", "Enter", "Tab") or modifiers in (ALT, CTRL)
    event = {"key": key, "code": code, "modifiers": modifiers}
    down = {"type": "rawKeyDown" if named else "keyDown", **event, **({} if named else {"text": key})}
    return [
        session.send("Input.dispatchKeyEvent", down),
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event}),
    ]
