"""One caller cannot use up all streams."""

from contextlib import ExitStack

import pytest

from kiosk.live.stream_limits import StreamLimits, TooManyStreams


def test_one_address_holds_its_share_and_others_are_served() -> None:
    limits = StreamLimits(per_address=3, per_facility=100)
    with ExitStack() as streams:
        for _ in range(3):
            streams.enter_context(limits.counted("192.0.2.1", "H1"))
        with pytest.raises(TooManyStreams), limits.counted("192.0.2.1", "H2"):
            pass
        streams.enter_context(limits.counted("192.0.2.2", "H1"))
    with limits.counted("192.0.2.1", "H1"):
        pass
    assert not limits._open, "nothing is left of those who are gone"


def test_one_facility_holds_its_share() -> None:
    limits = StreamLimits(per_address=100, per_facility=2)
    with ExitStack() as streams:
        for number in range(2):
            streams.enter_context(limits.counted(f"192.0.2.{number}", "H1"))
        with pytest.raises(TooManyStreams), limits.counted("192.0.2.9", "H1"):
            pass
        streams.enter_context(limits.counted("192.0.2.9", "H2"))


def test_a_paired_screen_counts_for_itself_alone() -> None:
    limits = StreamLimits(per_address=1, per_facility=1, per_screen=2)
    with ExitStack() as streams:
        streams.enter_context(limits.counted("192.0.2.1", "H1"))
        for screen in ("a", "a", "b"):
            streams.enter_context(limits.counted("192.0.2.1", "H1", screen=screen))
        with pytest.raises(TooManyStreams), limits.counted("192.0.2.1", "H1", screen="a"):
            pass
    assert not limits._open, "nothing is left of those who are gone"


def test_callers_of_this_machine_are_not_counted_by_address() -> None:
    limits = StreamLimits(per_address=1, per_facility=100)
    with ExitStack() as streams:
        for address in ("127.0.0.1", "127.0.0.1", "::1", "::1/128", ""):
            streams.enter_context(limits.counted(address, "H1"))
