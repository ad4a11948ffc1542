"""The words of each part, for a voice that reads them: eSpeak NG, or a person before a microphone.

Numbers are written in digits: a voice of the language reads them as its own words.
"""

from typing import Final

from kiosk.voice.parts import AND, GO, HUNDRED, NUMBER, PLEASE, THOUSAND, all_parts

_PHRASES: Final[dict[str, dict[str, str]]] = {
    "en": {
        NUMBER: "Number", PLEASE: "Please go to counter", HUNDRED: "hundred", THOUSAND: "thousand", AND: "and",
    },
    "hi": {NUMBER: "नंबर", PLEASE: "कृपया काउंटर", GO: "पर जाइए", HUNDRED: "सौ", THOUSAND: "हज़ार"},
    "ur": {NUMBER: "نمبر", PLEASE: "براہِ کرم کاؤنٹر", GO: "پر تشریف لے جائیں", HUNDRED: "سَو", THOUSAND: "ہزار"},
    "pa": {NUMBER: "ਨੰਬਰ", PLEASE: "ਕਿਰਪਾ ਕਰਕੇ ਕਾਊਂਟਰ", GO: "ਤੇ ਜਾਓ", HUNDRED: "ਸੌ", THOUSAND: "ਹਜ਼ਾਰ"},
    "ks": {NUMBER: "نمبر", PLEASE: "مہربٲنی کٔرِتھ کاونٹر", GO: "پؠٹھ گژھِو", HUNDRED: "ہَتھ", THOUSAND: "ساس"},
    "doi": {NUMBER: "नंबर", PLEASE: "किरपा करियै काउंटर", GO: "पर जाओ", HUNDRED: "सौ", THOUSAND: "ज्हार"},
}  # fmt: skip
"""Some Urdu words carry vowel signs: without them eSpeak NG says *so*, *keo* and *dableo*. Kashmiri and Dogri are
drafts. They are shown to the person who records them, who says them as people do."""

_DEVANAGARI: Final = "ए बी सी डी ई एफ़ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई ज़ेड"
_PERSO_ARABIC: Final = "اے بی سی ڈی ای ایف جی ایچ آئی جے کے ایل ایم این او پی کیُو آر ایس ٹی یُو وی ڈَبلِیُو ایکس وائی زیڈ"
_GURMUKHI: Final = "ਏ ਬੀ ਸੀ ਡੀ ਈ ਐਫ਼ ਜੀ ਐਚ ਆਈ ਜੇ ਕੇ ਐਲ ਐਮ ਐਨ ਓ ਪੀ ਕਿਊ ਆਰ ਐਸ ਟੀ ਯੂ ਵੀ ਡਬਲਯੂ ਐਕਸ ਵਾਈ ਜ਼ੈੱਡ"
_ALPHABETS: Final[dict[str, str]] = {
    "en": "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z",
    "hi": _DEVANAGARI, "ur": _PERSO_ARABIC, "pa": _GURMUKHI, "ks": _PERSO_ARABIC, "doi": _DEVANAGARI,
}  # fmt: skip
"""The names of the 26 letters as the language writes them."""


def phrases(language: str) -> dict[str, str]:
    """Part → the words to say, for every part of a language."""
    spoken = dict(_PHRASES[language])
    for code, name in enumerate(_ALPHABETS[language].split(), ord("a")):
        spoken[f"letter-{chr(code)}"] = name
    spoken |= {f"n{number}": str(number) for number in range(100)}
    return {part: spoken[part] for part in all_parts(language)}
