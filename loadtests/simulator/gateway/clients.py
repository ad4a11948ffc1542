"""Who may call: bridges and PHR apps with their secrets, and the access tokens they hold (protocol D1)."""

import hmac

from msgspec import Struct, json

from loadtests.simulator.gateway.schemas import SessionRequest
from loadtests.simulator.gateway.signing_keys import Realm


class Grant(Struct, frozen=True):
    """The owner of a token, and when it expires (Unix seconds)."""

    client_id: str
    ends_s: float


class Clients:
    """Issues access tokens and accepts them until they expire or are void."""

    def __init__(self, realm: Realm, secrets: dict[str, str], *, token_s: int) -> None:
        self.realm = realm
        self.secrets = secrets
        self.token_s = token_s
        self._grants: dict[str, Grant] = {}
        self._void: set[str] = set()

    def admits(self, request: SessionRequest) -> bool:
        """Whether the credentials are right."""
        known = self.secrets.get(request.client_id, "")
        right = hmac.compare_digest(known.encode(), request.client_secret.encode())
        return bool(known) and right and request.grant_type == "client_credentials"

    def open_session(self, client_id: str, now_s: float, *, clock_s: float, lives_s: int | None = None) -> bytes:
        """The answer to a sessions call. ``clock_s`` is the time by the simulated clock, which may be wrong."""
        lives_s = self.token_s if lives_s is None else lives_s
        token = self.realm.token(client_id, int(clock_s), lives_s)
        self._grants = {known: grant for known, grant in self._grants.items() if grant.ends_s > now_s - 3600}
        self._grants[token] = Grant(client_id, now_s + lives_s)
        return json.encode(
            {
                "accessToken": token,
                "expiresIn": lives_s,
                "refreshExpiresIn": 1800,
                "refreshToken": self.realm.token(f"{client_id}/refresh", int(clock_s), 1800),
                "tokenType": "bearer",
            }
        )

    def whose(self, authorization: str, now_s: float) -> tuple[str, str]:
        """The client id; when it is empty, also what is wrong with the token (``void``: we made it void)."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return "", "no bearer token"
        if token in self._void:
            return "", "void"
        grant = self._grants.get(token)
        if grant is None:
            return "", "a token we never gave"
        if grant.ends_s <= now_s:
            return "", f"a token that ended {now_s - grant.ends_s:.1f} s ago"
        return grant.client_id, ""

    def make_void(self, authorization: str) -> None:
        """Refuse this token from now on. Its owner has done nothing wrong."""
        self._void.add(authorization.partition(" ")[2])
