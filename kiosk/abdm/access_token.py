"""The access token of our calls to the gateway: renewed once for all who wait, shortly before it expires."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

import jwt
from jwt.exceptions import PyJWTError

from kiosk.abdm.errors import GatewayError, GatewayRefused, NoAccessToken

RENEW_BEFORE_S: Final = 30.0
"""A token is renewed this long before it expires: longer than any call that uses it can take."""
RETRY_TOKEN_S: Final = 1.0
"""After a failed renewal no other is tried for this long, so a thousand pending replies cause one call."""
TIMESTAMP_REFUSED: Final = ("ABDM-1016", "ABDM-2402")
"""Codes of the gateway for a TIMESTAMP that it does not accept."""
_log = logging.getLogger(__name__)


class AccessToken:
    """The bearer token of our calls to the gateway. One call renews it for all who wait, shortly before it expires."""

    def __init__(self, ask: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._ask = ask
        """Gives a token and the seconds it lives, or raises a ``GatewayError``."""
        self._token = ""
        self._renew_at = 0.0
        self._ends_at = 0.0
        self._failed_at = float("-inf")
        self._renewal: asyncio.Task[str] | None = None
        self.failure = ""
        """Why the latest session was refused, as status and code; empty when it was given."""
        self.issuer = ""
        """``iss`` of the latest token; empty before the first, and when the token is no JWT."""

    async def get(self, now: float) -> str:
        """A token that lives long enough for a call. ``now`` is of the monotonic clock, in seconds."""
        if now < self._renew_at:
            return self._token
        if self._renewal is None:
            if now - self._failed_at < RETRY_TOKEN_S:
                return self._still_good(now)
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
            self._renewal.add_done_callback(_noticed)
        try:
            return await asyncio.shield(self._renewal)
        except GatewayError:
            if now < self._ends_at:
                return self._token
            raise

    def _still_good(self, now: float) -> str:
        if now < self._ends_at:
            return self._token
        raise NoAccessToken("the gateway gave no access token a moment ago")

    def _note_failure(self, refused: GatewayError) -> None:
        """Write a refused session into the log once, until the reason changes or a session is given."""
        failure = _session_failure(refused)
        if failure != self.failure:
            self.failure = failure
            step = session_step(failure)
            _log.error("the gateway refused a session: %s. %s", failure, step[0].upper() + step[1:])

    def drop(self, token: str) -> None:
        """Forget this token if it is still in use. A late 401 must not drop a newer token."""
        if token == self._token:
            self._renew_at = self._ends_at = 0.0

    async def _renew(self) -> str:
        began = time.monotonic()
        try:
            token, lives_s = await self._ask()
        except GatewayError as refused:
            self._failed_at = time.monotonic()
            self._note_failure(refused)
            raise NoAccessToken(f"no access token: {refused}") from None
        finally:
            self._renewal = None
        if self.failure:
            _log.info("the gateway gives sessions again")
        self.failure = ""
        self._token = token
        self.issuer = issuer_of(token)
        self._ends_at = began + lives_s
        self._renew_at = self._ends_at - min(RENEW_BEFORE_S, lives_s / 2)
        return token


def _session_failure(refused: GatewayError) -> str:
    """Status and code, or our own words; never the gateway's sentence."""
    if isinstance(refused, GatewayRefused):
        return f"{refused.status} {refused.code}".rstrip()
    return str(refused)


def session_step(failure: str) -> str:
    """What an operator does about a refused session."""
    if failure.endswith(TIMESTAMP_REFUSED):
        return "set this machine's clock right (chrony): the gateway refuses the time that it sends"
    return "check KIOSK_GATEWAY_CLIENT_ID, the client secret, KIOSK_GATEWAY_URL and KIOSK_CM_ID"


def issuer_of(token: str) -> str:
    """``iss`` of a JWT that is not checked here: it came from the gateway's own address. Empty when it is no JWT."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (PyJWTError, ValueError, RecursionError):
        return ""
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else ""


def _noticed(renewal: "asyncio.Task[str]") -> None:
    """Read the result even when all callers were cancelled: else asyncio logs an exception that was never read."""
    if not renewal.cancelled():
        renewal.exception()
