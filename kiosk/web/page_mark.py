"""The mark of the pages: it changes with any script, style, template or text of a language.

Every page carries it, and every stream and poll says it. A hanging screen whose mark differs loads itself again.
"""

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from kiosk.web.static_files import static_mark

_KIOSK: Final = Path(__file__).parents[1]


@lru_cache(maxsize=1)
def page_mark() -> str:
    """The same in all processes that run the same files."""
    mark = blake2b(static_mark().encode(), digest_size=6)
    for path in sorted(
        [*_KIOSK.glob("*/templates/*.html"), *_KIOSK.glob("templates/*.html"), *_KIOSK.glob("locales/**/*.po*")]
    ):
        mark.update(path.read_bytes())
    return mark.hexdigest()
