"""Answers a request whose body is still on its way.

A server that closes a connection while the sender writes makes the sender lose the answer. The rest of the body is read
and dropped first, within bounds. The web server stops reading as soon as an answer is complete, so the answer's last
byte is held back until then: the sender has the status and the text at once.
"""

import asyncio
from contextlib import suppress
from typing import Final

from litestar.types import HTTPResponseStartEvent, Send

from kiosk.web.request_body import DEADLINE_S, Receive

DRAIN_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a refused body that are read and dropped: thirty times the largest body that is taken."""
PAUSE_S: Final = 0.5
"""A sender that writes nothing for this long has seen the answer, or will not go on. A phone on 2G sends a part of its
body every 200 ms."""


async def answer_unread(send: Send, start: HTTPResponseStartEvent, body: bytes, receive: Receive) -> None:
    """Send the answer ``start`` with ``body``, and drop the rest of the request."""
    if body:
        await send(start)
        await send({"type": "http.response.body", "body": body[:-1], "more_body": True})
        await drain(receive)
    else:  # it would be complete with its headers
        await drain(receive)
        await send(start)
    await send({"type": "http.response.body", "body": body[-1:], "more_body": False})


async def drain(receive: Receive, deadline_s: float = DEADLINE_S) -> None:
    """Read a body and drop it, up to a limit in bytes and in time, and until its sender makes a pause."""
    left = DRAIN_LIMIT
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline_s):
            while left > 0:
                async with asyncio.timeout(PAUSE_S):
                    message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
