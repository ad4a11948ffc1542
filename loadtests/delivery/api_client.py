"""Calls the API at a constant rate, as ``ShareClient`` sends shares, with the ETags that earlier answers carried."""

from collections.abc import Callable, Sequence
from typing import Any, overload

from loadtests.simulator.people.share_client import Connection, ShareClient

BuildRequest = Callable[[int], bytes]


class _BuiltLate(Sequence[bytes]):
    """Requests that are built when they are sent, so that each carries the newest ETag."""

    def __init__(self, count: int, build: BuildRequest) -> None:
        self._count, self._build = count, build

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: Any) -> Any:
        return self._build(place)


class _TagConnection(Connection):
    """Notes the ETag of each answer."""

    def __init__(self, client: "ApiClient") -> None:
        super().__init__(client)
        self._client = client

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 ") and (at := data[: data.find(b"\r\n\r\n")].lower().find(b"\r\netag:")) >= 0:
            self._client.tags[self.index] = data[at + 7 :].partition(b"\r\n")[0].strip().decode()
        super().data_received(data)


class ApiClient(ShareClient):
    """Connections of one program with one key."""

    def __init__(self, url: str, key: str, *, connections: int = 32) -> None:
        super().__init__(url, connections=connections)
        self._key = key
        self.tags: dict[int, str] = {}
        """Place of a request → the ETag of its answer."""

    def new_connection(self) -> Connection:
        return _TagConnection(self)

    def requests(self, count: int, build: BuildRequest) -> Sequence[bytes]:
        """So many requests; ``build`` makes each when it is sent."""
        return _BuiltLate(count, build)

    def get(self, path: str, tag: str = "") -> bytes:
        """One request as bytes."""
        known = f"If-None-Match: {tag}\r\n" if tag else ""
        return (
            f"GET /api/v1{path} HTTP/1.1\r\nHost: {self.authority}\r\nAuthorization: Bearer {self._key}\r\n{known}\r\n"
        ).encode()
