"""``Policy`` as functions/shared/policy.lua reads it: a list, because every scan reads it."""

import msgspec

from queueing.models import Policy, PresenceRule


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
