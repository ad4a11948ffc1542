"""The way back to the PHR apps: pushed to an app that has an address, held for one that asks (a long poll)."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

INBOX = 200_000
"""Callbacks stored for an app that does not fetch them. The oldest are dropped first."""


class Inbox:
    """Callbacks waiting for one app."""

    def __init__(self) -> None:
        self.held: deque[dict[str, Any]] = deque(maxlen=INBOX)
        self.rang = asyncio.Event()

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Add a callback."""
        self.held.append({"path": path, "body": body})
        self.rang.set()

    async def take(self, *, wait_s: float, limit: int, gone: Callable[[], bool]) -> list[dict[str, Any]]:
        """At most ``limit`` callbacks. Waits at most ``wait_s`` for the first one; returns none when the app is
        ``gone``.
        """
        if not self.held:
            self.rang.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self.rang.wait()
            except TimeoutError:
                return []
        if gone():
            return []
        return [self.held.popleft() for _ in range(min(limit, len(self.held)))]
