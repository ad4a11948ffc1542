"""A facility's rules: which shares get a place, and how many it takes a second.

They are stored as a list, because every scan reads them (functions/shared/policy.lua).
"""

from enum import IntEnum

import msgspec
from msgspec import Struct

from queueing import limits


class PresenceRule(IntEnum):
    """What a facility does with a share whose presence is not proved."""

    TAKE = 0
    """A place at once."""
    EXPECT = 1
    """A number at once; the place counts from check-in."""
    REFUSE = 2


class Policy(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A facility's rules. ``far``, ``stale``, ``unknown`` and ``poster`` count for shares whose presence is not proved.

    A fresh code of the screen proves presence wherever the phone is; with an older code, a place within ``near_m``
    does. By default every share is taken. One that is not proved waits for check-in, except one of a printed poster
    without a place of the phone: most phones send none, and a hall may have nothing but posters.
    """

    far: PresenceRule = PresenceRule.EXPECT
    stale: PresenceRule = PresenceRule.EXPECT
    unknown: PresenceRule = PresenceRule.EXPECT
    poster: PresenceRule = PresenceRule.TAKE
    """A printed poster, or a bare counter name, when it is not known where the phone is."""
    near_m: limits.Metres = 1000
    """Within this many metres of the facility's own place a phone is near (a campus and GPS error fit in)."""
    rate: limits.Rate | None = None
    """Scans a second this facility may take; None: the service's own (``KIOSK_FACILITY_RATE``)."""
    burst: limits.Burst | None = None
    """Scans at once; None: the service's own (``KIOSK_FACILITY_BURST``)."""
    no_show_after_s: limits.NoShowAfter = 0
    """*Next* on a call that was not started for so many seconds records a no-show. 0: no rule, the clerk decides."""


class _PackedPolicy(msgspec.Struct, frozen=True, array_like=True):
    """New fields go to the end, with a default."""

    far: PresenceRule
    stale: PresenceRule
    unknown: PresenceRule
    near_m: int
    rate: float | None = None
    burst: int | None = None
    no_show_after_s: int = 0
    poster: PresenceRule = PresenceRule.TAKE


_pack = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(_PackedPolicy).decode


def pack_policy(policy: Policy) -> bytes:
    """Packs rules that are within their limits."""
    return _pack(msgspec.convert(policy, _PackedPolicy, from_attributes=True))


def policy_of(packed: bytes) -> Policy:
    """The rules, also as an earlier release packed them."""
    return Policy(**msgspec.structs.asdict(_read(packed)))
