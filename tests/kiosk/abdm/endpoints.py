"""The gateway's endpoints with the services that they need, and a client for them."""

import time

from litestar import Litestar

from kiosk.abdm.authentication import Authenticator
from kiosk.abdm.callbacks import SHARE, GatewayEndpoints
from kiosk.abdm.callers import Callers
from kiosk.abdm.client import timestamp
from kiosk.abdm.error_form import ERROR_FORM
from kiosk.patient.person import Scan, StatusQuery
from kiosk.web.client_address import Network
from kiosk.web.problems import handlers
from queueing.models import Outcome, Place
from tests.kiosk.abdm.fake_gateway import Answer, SigningKey, call, good_claims, sample, whole

CANARY = "zebra-7731"


class Desk:
    """The receiver of scans: it records them, or fails as a test decides."""

    def __init__(self) -> None:
        self.scans: list[Scan] = []
        self.queries: list[StatusQuery] = []
        self.failure: Exception | None = None

    async def scanned(self, scan: Scan) -> Place:
        if self.failure is not None:
            raise self.failure
        self.scans.append(scan)
        return Place(outcome=Outcome.NEW)

    async def answer_status(self, query: StatusQuery) -> None:
        self.queries.append(query)


class Services:
    """The services that the endpoints need, and a client for them."""

    cm_id = "sbx"

    def __init__(self, authenticator: Authenticator, key: SigningKey) -> None:
        self.authenticator = authenticator
        self.callers = Callers()
        self.aliases: dict[str, str] = {}
        self.gateway_addresses: tuple[Network, ...] = ()
        self.trusted_proxies: tuple[Network, ...] = ()
        self.check_in = Desk()
        self.key = key
        self.app = Litestar(
            GatewayEndpoints(lambda: self).routes(), exception_handlers=handlers(ERROR_FORM), openapi_config=None
        )

    def headers(self, **changed: str | None) -> dict[str, str]:
        plain = {
            "authorization": "Bearer " + self.key.sign(good_claims()),
            "request-id": "f29f0e59-8388-4698-9fe6-05db67aeac46",
            "timestamp": timestamp(time.time()),
            "content-type": "application/json",
        }
        named = {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in (plain | named).items() if value is not None}

    async def ask(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        return await call(self.app, method, target, named(headers), whole(body))

    async def post(self, body: bytes, path: str = SHARE[0], **changed: str | None) -> Answer:
        return await self.ask("POST", path, self.headers(**changed), body)


def named(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


SHARE_BODY = sample("v3-hip-patient-share")
