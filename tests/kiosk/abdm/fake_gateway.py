"""A fake gateway: a real HTTP server with real keys. Each test decides how it answers."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

SAMPLES = Path(__file__).parents[2] / "samples"
ISSUER = "https://dev.abdm.gov.in/auth/realms/central-registry"


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def number64(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()


class SigningKey:
    """One of the gateway's keys."""

    def __init__(self, kid: str, algorithm: str = "RS256") -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.private: RSAPrivateKey = generate_private_key(65537, 2048)

    @property
    def public(self) -> RSAPublicKey:
        return self.private.public_key()

    def jwk(self) -> dict[str, str]:
        numbers = self.public.public_numbers()
        named = {"kty": "RSA", "use": "sig", "alg": self.algorithm, "kid": self.kid}
        return named | {"n": number64(numbers.n), "e": number64(numbers.e)}

    def sign(self, claims: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        return jwt.encode(claims, self.private, self.algorithm, headers={"kid": self.kid} | (headers or {}))


def good_claims(**changed: Any) -> dict[str, Any]:
    """Claims as in the gateway's tokens. None leaves a claim out."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "account", "azp": "gateway", "iat": now - 5, "exp": now + 1200, "typ": "Bearer"}
    return {name: value for name, value in (claims | changed).items() if value is not None}


class Heard:
    """One request that the gateway received."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = tuple[int, bytes] | tuple[int, bytes, dict[str, str]] | None
"""Status, body and headers; None cuts the connection without a word."""
Manners = Callable[[Heard], Awaitable[Reply]]


class FakeGateway:
    """A gateway over HTTP. ``manners`` decides the answer for each path; ``heard`` records the requests."""

    def __init__(self) -> None:
        self.keys: list[SigningKey] = []
        self.heard: list[Heard] = []
        self.manners: dict[str, Manners] = {}
        self.tokens = 0
        self.token_lives_s = 1200
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the transports get the notice that they are closed

    def at(self, path: str) -> list[Heard]:
        return [each for each in self.heard if each.path.endswith(path)]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        heard = Heard(method, path, headers, body)
        self.heard.append(heard)
        manners = next((each for end, each in self.manners.items() if path.endswith(end)), self.polite)
        reply = await manners(heard)
        if reply is None:
            return False
        status, answer, *more = reply
        named = {"content-length": str(len(answer))} | (more[0] if more else {})
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        writer.write(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + answer)
        await writer.drain()
        return True

    async def polite(self, heard: Heard) -> Reply:
        """The answers of a gateway without faults."""
        if not {"request-id", "timestamp", "x-cm-id"} <= set(heard.headers):
            return 401, b""
        if heard.path.endswith("/sessions"):
            self.tokens += 1
            return 202, json.dumps(
                {"accessToken": f"token-{self.tokens}", "expiresIn": self.token_lives_s, "tokenType": "bearer"}
            ).encode()
        if not heard.headers.get("authorization", "").startswith("Bearer token-"):
            return 401, b""
        if heard.path.endswith("/certs"):
            return 200, self.key_set()
        return 202, b""

    def key_set(self) -> bytes:
        return json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()


class Answer:
    """The answer of an application."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code = status
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
        self.content = body
        self.text = body.decode()

    def json(self) -> Any:
        return json.loads(self.content)


async def call(
    app: Any, method: str, target: str, headers: list[tuple[bytes, bytes]], receive: Callable[[], Awaitable[Any]]
) -> Answer:
    """Send one request to an application directly in this event loop. ``receive`` supplies the body."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
        "extensions": {},
    }
    await app(scope, receive, send)
    return Answer(sent[0]["status"], list(sent[0]["headers"]), b"".join(each["body"] for each in sent[1:]))


async def until(so: Callable[[], Any], within_s: float = 15.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not so():  # noqa: ASYNC110  (looks at another's state: there is no event to wait for)
            await asyncio.sleep(0.01)


def whole(body: bytes) -> Callable[[], Awaitable[Any]]:
    """The body in one part."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
