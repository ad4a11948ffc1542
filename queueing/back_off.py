"""Pauses between tries that fail: each twice the one before, up to a bound; from the start again after a success."""


class BackOff:
    """The next pause of one thing that is started again whenever it ends."""

    def __init__(self, first_s: float, last_s: float, *, steady_s: float) -> None:
        """``steady_s``: what lived longer than this was a success."""
        self._first_s, self._last_s, self._steady_s = first_s, last_s, steady_s
        self._pause_s = first_s

    def pause_s(self, lived_s: float = 0.0) -> float:
        """How long to wait before the next try, after one that lived so long."""
        if lived_s > self._steady_s:
            self._pause_s = self._first_s
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, self._last_s)
        return pause_s
