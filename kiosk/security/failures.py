"""Where a failure happened, without its message: the text of an exception may repeat data of a request."""

import os
import traceback
from collections.abc import Iterator
from typing import Final

FRAMES_MAX: Final = 8
"""Innermost frames: enough to pass a framework's own frames and reach ours."""


def places(failure: BaseException) -> Iterator[str]:
    """Folder, file and line of each frame, innermost first."""
    for frame in reversed(traceback.extract_tb(failure.__traceback__)[-FRAMES_MAX:]):
        yield f"{os.sep.join(frame.filename.split(os.sep)[-2:])}:{frame.lineno}"


def place_of(failure: BaseException) -> str:
    """The class of a failure and its places in one line, for a sentence in the log."""
    return f"{type(failure).__name__} at {' < '.join(places(failure)) or 'nowhere'}"
