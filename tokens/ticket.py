"""The ticket link: what the slip's QR and the address of the phone's page carry. Facility and ticket, signed.

``tokens.links`` says how it is written and how anybody checks it.
"""

from tokens.claims import TicketClaim
from tokens.jwt_links import JwtTicketLinks
from tokens.keyring import KeyRing
from tokens.links import TICKET, SignedLinks


class TicketLinks:
    """Makes and reads ticket links. They live until the ticket's day is over."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service, the same for minting and reading."""
        self._links = SignedLinks(TICKET, ring, audience=audience)
        # Earlier releases printed JWTs; a slip is good for two days.
        self._jwt = JwtTicketLinks(ring, audience=audience)

    def use(self, ring: KeyRing) -> None:
        """Verify and sign with this ring from now on."""
        self._links.use(ring)
        self._jwt.use(ring)

    def mint(self, hip_id: str, ticket: str, *, expires_s: int, now_s: int) -> str:
        """A link good until ``expires_s`` (a moment, unix seconds, two days ahead at most). Raises LinkImpossible."""
        return self._links.mint(hip_id, ticket, expires_s=expires_s, now_s=now_s)

    def read(self, token: str, *, now_s: int) -> TicketClaim:
        """Raises one of the LinkError family."""
        if "." in token:
            return self._jwt.read(token, now_s=now_s)
        claims = self._links.read(token, now_s=now_s)
        return TicketClaim(hip_id=claims.hip_id, ticket=claims.name)
