"""A program that calls the API with a key."""

from typing import Any
from urllib.parse import quote

import httpx

from queueing.api_keys import EVERY_FACILITY, ApiKey, Scope
from tests.kiosk.hospital import HIP, Hospital

OTHER_HIP = "IN0110000999"
PERSON = {"name": "Asha Devi", "year_of_birth": 1990, "phone": "9999999999"}


class Program:
    """Calls of one key; its home is the hospital's part of the API."""

    def __init__(self, hospital: Hospital, client: httpx.AsyncClient, key: ApiKey, text: str) -> None:
        self.hospital, self.client, self.key, self.text = hospital, client, key, text
        self.headers = {"authorization": f"Bearer {text}"}

    @classmethod
    async def of(
        cls, hospital: Hospital, client: httpx.AsyncClient, *scopes: Scope, facility: str = HIP
    ) -> "Program":  # fmt: skip
        key, text = await hospital.services.api.keys.add("HIS", facility, scopes, by="asha")
        return cls(hospital, client, key, text)

    @classmethod
    async def of_state(cls, hospital: Hospital, client: httpx.AsyncClient) -> "Program":
        """A program of the whole state."""
        return await cls.of(hospital, client, *Scope, facility=EVERY_FACILITY)

    async def get(
        self, path: str, hip: str = HIP, headers: dict[str, str] | None = None, **query: Any
    ) -> httpx.Response:
        return await self.client.get(address(path, hip), params=query, headers=self.headers | (headers or {}))

    async def post(
        self, path: str, body: Any = None, hip: str = HIP, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        more = {"json": body} if body is not None else {}
        return await self.client.post(address(path, hip), headers=self.headers | (headers or {}), **more)

    async def move(self, ticket: str, move: str, **more: str) -> httpx.Response:
        return await self.post(f"tickets/{ticket}/moves", {"move": move, **more})

    async def register(self, queue: str = "medicine", **person: Any) -> dict[str, Any]:
        """The ticket of somebody new."""
        answer = await self.post("tickets", {"queue": queue, "patient": PERSON | person})
        assert answer.status_code == 201, answer.text
        ticket: dict[str, Any] = answer.json()
        return ticket

    async def event_types(self, after: str | None = None) -> list[str]:
        query: dict[str, Any] = {"after": after} if after else {}
        return [one["type"] for one in (await self.get("events", **query)).json()["items"]]


def address(path: str, hip: str = HIP) -> str:
    return f"/api/v1/facilities/{quote(hip, safe='')}/{path}"


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem document of an answer that refuses."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"urn:kiosk:problem:{kind}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return found
