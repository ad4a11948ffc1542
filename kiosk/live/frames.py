"""The events of a stream, as bytes on the wire."""

import time
from typing import Final

import msgspec

from queueing.facility_view import Snapshot

_encode = msgspec.json.Encoder().encode


def for_phones(snapshot: Snapshot) -> Snapshot:
    """What a ticket page uses. It finds its place by key, so the numbers of others and the calls that a board announces
    stay away: three quarters of a frame, which a phone would pay for at every change.
    """
    queues = [
        msgspec.structs.replace(one, next=(), expected_tokens=(), recent=one.recent[:1]) for one in snapshot.queues
    ]
    return msgspec.structs.replace(snapshot, queues=tuple(queues), calls=())


def snapshot_frame(snapshot: Snapshot) -> bytes:
    """The event as it goes over the wire. JSON has no raw line ends, so one ``data`` line holds it."""
    return b"event: snapshot\nid: %d\ndata: %b\n\n" % (snapshot.at_ms, _encode(snapshot))


def stale_frame(since_ms: int) -> bytes:
    """The store has not answered since ``since_ms`` (unix ms). What the screen shows may be old."""
    return b'event: stale\ndata: {"since_ms":%d}\n\n' % since_ms


def heartbeat_frame() -> bytes:
    """A comment for proxies and an event for pages: browsers do not show comments to scripts."""
    return b': beat\nevent: beat\ndata: {"at_ms":%d}\n\n' % (time.time_ns() // 1_000_000)


def pages_frame(mark: str) -> bytes:
    """The mark of this process's pages, and its clock (unix ms). Sent once, after the first snapshot."""
    return b'event: pages\ndata: {"mark":"%b","at_ms":%d}\n\n' % (mark.encode(), time.time_ns() // 1_000_000)


BYE: Final = b"event: bye\ndata: {}\n\n"
"""This process ends. Subscribe again in a moment."""
