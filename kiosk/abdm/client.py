"""Our calls to the gateway: an access token, the key set, the services of our bridge, and the pending replies.

The address is fixed at start; it is https unless the gateway is on this machine. Certificates are checked, no redirect
is followed, no proxy is taken from the environment. A call takes five seconds at most and reads 256 kB at most. An
access token is renewed 30 s before it expires, once for all callers that wait, and dropped on the first 401. Every
method makes one attempt and raises a ``GatewayError`` when it fails. Only the caller repeats an attempt.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

from kiosk.abdm.access_token import AccessToken
from kiosk.abdm.errors import (
    GatewayAddressWrong,
    GatewayRefused,
    GatewaySilent,
    NotAcknowledged,
    read_error,
)
from kiosk.abdm.schemas import BridgeServices, Session, SessionRequest
from kiosk.observability.clocks import running_s
from kiosk.settings.values import is_loopback

SESSIONS: Final = "/api/hiecm/gateway/v3/sessions"
CERTS: Final = "/api/hiecm/gateway/v3/certs"
BRIDGE_SERVICES: Final = "/api/hiecm/gateway/v3/bridge-services"
ON_SHARE: Final = "/api/hiecm/patient-share/v3/on-share"
ON_STATUS: Final = "/api/hiecm/patient-share/v3/running-token/on-status"
ON_SHARE_V1: Final = "/gateway/v1.0/patients/profile/on-share"
ON_SHARE_V05: Final = "/gateway/v0.5/patients/profile/on-share"

ATTEMPT_S: Final = 5.0
"""The time for one whole call: six such attempts fill the thirty seconds that the patient's app waits."""
CLOSED_WITHIN_S: Final = 2.0
"""The time for connections to close in order. After it the end of the process closes them."""
CONNECT_S: Final = 2.0
CERTS_S: Final = 3.0
"""How long a scan waits for an unknown key at most."""
REPLY_MAX: Final = 256 * 1024
CERTS_MAX: Final = 64 * 1024
"""Largest key set, bytes: thirty times the sandbox's."""
SERVICES_MAX: Final = 4 << 20
"""Largest list of services, bytes. A state's bridge has a few thousand services of about 200 bytes each."""
CLOCK_EVERY_S: Final = 60.0
"""How often the ``Date`` of an answer is read."""

_ERROR_CODE: Final = re.compile(r"(?:ABDM|HIS)-\d|9\d{5}$")
"""The form of error codes of ABDM, of its registries, and of the API manager in front of the gateway."""
_JSON: Final = msgspec.json.Encoder()
_SESSION: Final = msgspec.json.Decoder(Session)
_BRIDGE_SERVICES: Final = msgspec.json.Decoder(BridgeServices)
_ANY: Final = msgspec.json.Decoder()


def timestamp(now_s: float) -> str:
    """A time as the gateway writes it: UTC, three decimals and ``Z``."""
    return datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Gateway:
    """The one client of a process; safe for any number of concurrent callers on one event loop."""

    def __init__(self, url: str, *, client_id: str, client_secret: str, cm_id: str) -> None:
        self._base = checked_address(url)
        self._credentials = SessionRequest(client_id=client_id, client_secret=client_secret)
        self._cm_id = cm_id
        self._client = _client(https_only=self._base.startswith("https:"))
        self.token = AccessToken(self._new_session)
        self.clock_since_start_s = 0.0  # the gateway's, when this machine started, unix; 0 before the first answer
        self._clock_read_s = float("-inf")

    async def close(self) -> None:
        await asyncio.wait({asyncio.ensure_future(self._client.close())}, timeout=CLOSED_WITHIN_S)

    async def certs(self) -> bytes:
        """The gateway's public keys, as it publishes them. Without all four headers it answers with a 401
        and no body.
        """
        headers = self._headers() | {"Authorization": await self._bearer()}
        try:
            return (await self._call("GET", CERTS, headers, None, timeout_s=CERTS_S, limit=CERTS_MAX)).body
        except GatewayRefused as refused:
            self._forget_token(refused, headers)
            raise

    async def bridge_services(self) -> BridgeServices:
        """Our bridge's address and services, as the gateway knows them."""
        headers = self._headers() | {"Authorization": await self._bearer()}
        try:
            reply = await self._call("GET", BRIDGE_SERVICES, headers, None, timeout_s=ATTEMPT_S, limit=SERVICES_MAX)
        except GatewayRefused as refused:
            self._forget_token(refused, headers)
            raise
        try:
            return _BRIDGE_SERVICES.decode(reply.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise GatewaySilent("the gateway's list of services is not readable") from None

    async def answer(self, path: str, hip_id: str, body: bytes, *, timeout_s: float = ATTEMPT_S) -> None:
        """Deliver one reply (on-share, on-status). Returns when the gateway acknowledged it, by status and content."""
        headers = self._headers() | {"Authorization": await self._bearer(), "Content-Type": "application/json"}
        # the protocol does not name this header and the gateway ignores it; other text is not allowed in a header
        if hip_id.isascii() and hip_id.isprintable():
            headers["X-HIP-ID"] = hip_id
        try:
            check_acknowledged(await self._call("POST", path, headers, body, timeout_s=timeout_s, limit=REPLY_MAX))
        except GatewayRefused as refused:
            self._forget_token(refused, headers)
            raise

    def _headers(self) -> dict[str, str]:
        return {"REQUEST-ID": str(uuid.uuid4()), "TIMESTAMP": timestamp(time.time()), "X-CM-ID": self._cm_id}

    async def _bearer(self) -> str:
        return "Bearer " + await self.token.get(time.monotonic())

    def _forget_token(self, refused: GatewayRefused, headers: Mapping[str, str]) -> None:
        if refused.status == 401:
            self.token.drop(headers["Authorization"].removeprefix("Bearer "))

    async def _new_session(self) -> tuple[str, float]:
        headers = self._headers() | {"Content-Type": "application/json"}
        body = _JSON.encode(self._credentials)
        reply = await self._call("POST", SESSIONS, headers, body, timeout_s=ATTEMPT_S, limit=REPLY_MAX)
        try:
            session = _SESSION.decode(reply.body)
            lives_s = float(session.expires_in)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise GatewaySilent("the gateway's session answer is not readable") from None
        if not (session.access_token.isascii() and session.access_token.isprintable() and 0 < lives_s < 10**7):
            raise GatewaySilent("the gateway's session answer is not usable")
        return session.access_token, lives_s

    def _note_clock(self, date: str | None) -> None:
        """``Date`` is rounded down, so half a second is added."""
        if running_s() - self._clock_read_s < CLOCK_EVERY_S:
            return
        try:
            self.clock_since_start_s = parsedate_to_datetime(date or "").timestamp() + 0.5 - running_s()
        except (ValueError, TypeError, OverflowError):
            return
        self._clock_read_s = running_s()

    async def _call(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, *, timeout_s: float, limit: int
    ) -> "Exchange":
        """One exchange. Returns any 2xx; raises for everything else."""
        request = self._client.request(method, self._base + path).headers(headers)
        request = request.timeout(timedelta(seconds=timeout_s))
        if body is not None:
            request = request.body_bytes(body)
        try:
            async with request.build_streamed() as response:
                status = response.status
                self._note_clock(response.get_header("date"))
                retry_after = response.get_header("retry-after")
                reply = b"" if response.get_header("content-length") == "0" else await _bounded(response, limit)
        except PyreqwestError as broken:
            raise GatewaySilent(f"no answer from the gateway: {type(broken).__name__}") from None
        if 200 <= status < 300:
            return Exchange(status, reply)
        if 300 <= status < 400:
            raise NotAcknowledged(status, "redirect")
        code, message = read_error(reply)
        raise GatewayRefused(status, code, message, retry_after_s=_seconds(retry_after))


class Exchange(NamedTuple):
    """What the gateway answered with a 2xx."""

    status: int
    body: bytes


def check_acknowledged(answer: Exchange) -> None:
    """Raise ``NotAcknowledged`` unless the content of a 2xx is an acknowledgement too.

    The gateway acknowledges with an empty body. JSON without an error also counts. A firewall's page and an error with
    a 2xx status do not.
    """
    body = answer.body.strip()
    if not body:
        return
    try:
        content = _ANY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotAcknowledged(answer.status, "page" if body[:1] == b"<" else "unreadable") from None
    first = content[0] if isinstance(content, list) and content else content
    code, message = read_error(body)
    if (isinstance(first, dict) and first.get("error")) or _ERROR_CODE.match(code):
        raise NotAcknowledged(answer.status, "error", code=code, message=message)


def checked_address(url: str) -> str:
    """The base URL without a trailing slash. Raises ``GatewayAddressWrong`` for plain http to another machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = parts.scheme == "http" and is_loopback(host)
    if not host or not (parts.scheme == "https" or plain) or parts.username or parts.query or parts.fragment:
        raise GatewayAddressWrong("the gateway's address must be https://host, or http:// on this machine")
    return url.rstrip("/")


def _client(*, https_only: bool) -> Client:
    return (
        ClientBuilder()
        .user_agent("kiosk")
        .https_only(https_only)
        .follow_redirects(False)
        .referer(False)
        .no_proxy()
        .gzip(False)  # nothing is decompressed, so a small answer cannot become a large one
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .connect_timeout(timedelta(seconds=CONNECT_S))
        .pool_idle_timeout(timedelta(seconds=20))  # below the usual idle limits of load balancers
        .build()
    )


async def _bounded(response: Response, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while (chunk := await response.body_reader.read_chunk()) is not None:
        size += len(chunk)
        if size > limit:
            raise GatewaySilent("the gateway's answer is too large")
        parts.append(bytes(chunk))
    return b"".join(parts)


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` in seconds; its date form is not used by the gateway and counts as absent."""
    if retry_after and retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 6:
        return float(retry_after)
    return None
