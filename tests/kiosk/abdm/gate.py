"""The gateway's authenticator with its parts."""

import os
import time
from pathlib import Path

import pytest

from kiosk.abdm.authentication import Authenticator
from kiosk.abdm.client import Gateway
from kiosk.abdm.errors import KeysUnknown, NotTheGateway
from kiosk.abdm.jwks import FETCH_EVERY_S, KeySet
from tests.kiosk.abdm.fake_gateway import ISSUER, FakeGateway


class Gate:
    """An authenticator with its parts, and one call to use it."""

    def __init__(self, fake: FakeGateway, folder: Path) -> None:
        self.fake = fake
        self.folder = folder
        self.gateway = Gateway(fake.url, client_id="SBX_1", client_secret="s", cm_id="sbx")
        self.keys = KeySet(self.gateway.certs, folder)
        self.keeper = Authenticator(self.keys, issuers=(ISSUER,), audience="account", azps=("gateway",))

    async def believes(self, token: str | bytes, *, now_s: float | None = None, scheme: bytes = b"Bearer ") -> bool:
        """Whether the token is accepted as a valid one."""
        header = scheme + (token.encode() if isinstance(token, str) else token)
        try:
            return await self.keeper.prove(header, now_s or time.time(), time.monotonic()) is None
        except (NotTheGateway, KeysUnknown):
            return False

    async def reason(self, token: str) -> str:
        """Why the token is refused."""
        with pytest.raises(NotTheGateway) as refusal:
            await self.keeper.prove(b"Bearer " + token.encode(), time.time(), time.monotonic())
        return refusal.value.reason

    @property
    def fetches(self) -> int:
        return len(self.fake.at("/certs"))

    def long_ago(self, seconds: float = FETCH_EVERY_S) -> None:
        """Move the time of the last fetch into the past."""
        mark = self.folder / "gateway-keys.fetched"
        seen = mark.stat().st_mtime - seconds
        os.utime(mark, (seen, seen))
