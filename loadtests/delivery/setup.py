"""Sets up other programs as people do: keys and webhooks by commands, HL7 receivers on the console's page."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from msgspec import json

from loadtests.delivery.webhook_receivers import ReceiverUrls
from loadtests.history.pages import SignIn, csrf_of
from loadtests.stack import Stack, command

ADMINISTRATOR: Final = "stateadmin"
CONNECTIONS: Final = "/console/connections"
PRIVATE: Final = {"KIOSK_PRIVATE_TARGETS": "true"}
"""Settings of a kiosk that may send to loopback."""
TAKEN_AFTER_S: Final = 2.0
"""The delivery role takes new webhooks within a second."""


async def new_key(stack: Stack, scopes: str = "tickets:read") -> str:
    """An API key for every facility."""
    arguments = ("apikey", "add", "proof", "--facility", "*", "--scope", scopes, "--json")
    return str(json.decode(await command(stack.environment, *arguments))["key"])


async def new_webhook(stack: Stack, url: str, facility: str, *more: str) -> dict[str, Any]:
    """A webhook by the command: its id and secret."""
    arguments = ("webhook", "add", url, "--facility", facility, *more, "--json")
    webhook: dict[str, Any] = json.decode(await command(stack.environment, *arguments))
    return webhook


class Administrator:
    """A signed-in state administrator, who sets up receivers of any facility."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._csrf = ""
        self._facility = ""

    async def add_hl7(self, facility: str, address: str) -> None:
        """An HL7 receiver to which profiles go."""
        await self._post(facility, "hl7", {"address": address, "profiles": "on"})

    async def add_webhooks(self, facility: str, urls: Sequence[str]) -> None:
        for url in urls:
            await self._post(facility, "webhook", {"url": url})

    async def _post(self, facility: str, what: str, fields: dict[str, str]) -> None:
        if facility != self._facility:
            self._csrf = csrf_of((await self._client.get("/console/facility")).text)
            await self._send("/console/facility", {"hip": facility})
            self._csrf, self._facility = csrf_of((await self._client.get(CONNECTIONS)).text), facility
        await self._send(f"{CONNECTIONS}/{what}", fields)

    async def _send(self, path: str, fields: dict[str, str]) -> None:
        answer = await self._client.post(path, data={"_csrf": self._csrf, **fields})
        if answer.status_code not in {200, 303}:
            raise RuntimeError(f"{path} was answered {answer.status_code}")


@asynccontextmanager
async def administrator(stack: Stack) -> AsyncIterator[Administrator]:
    """Adds the login and signs it in, with an authenticator app."""
    arguments = ("staff", "add", ADMINISTRATOR, "--facility", "*", "--role", "admin", "--json")
    password = json.decode(await command(stack.environment, *arguments))["password"]
    headers = {"origin": stack.kiosk_url, "accept": "text/html"}
    async with httpx.AsyncClient(base_url=stack.kiosk_url, headers=headers, timeout=30) as client:
        await SignIn(client, ADMINISTRATOR).run(password, "")
        yield Administrator(client)


async def add_half_dead(stack: Stack, urls: ReceiverUrls) -> None:
    """A webhook for each facility, every second one dead."""
    async with administrator(stack) as admin:
        for number, hip in enumerate(stack.hips):
            await admin.add_webhooks(hip, [f"{urls.half_dead(number)}/{number}"])
    await asyncio.sleep(TAKEN_AFTER_S)


async def waiting(stack: Stack) -> int:
    """Events that wait at some target, as the commands list them."""
    rows: list[dict[str, Any]] = []
    for kind in ("webhook", "hl7"):
        rows += json.decode(await command(stack.environment, kind, "list", "--json"))
    return sum(row["failed"] + (row["state"] != "ok") for row in rows)
