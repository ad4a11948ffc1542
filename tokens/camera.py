"""The camera link: what the second QR of a counter screen carries, for phones without an ABHA app. Facility and queue,
signed.

``tokens.links`` says how it is written and how anybody checks it.
"""

from tokens.claims import CameraClaim
from tokens.jwt_links import JwtCameraLinks
from tokens.keyring import KeyRing
from tokens.links import CAMERA, SignedLinks


class CameraLinks:
    """Makes and reads camera links. They live for minutes."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service, the same for minting and reading."""
        self._links = SignedLinks(CAMERA, ring, audience=audience)
        # Screens of earlier releases showed JWTs; a form opened from one is good for an hour at most.
        self._jwt = JwtCameraLinks(ring, audience=audience)

    def use(self, ring: KeyRing) -> None:
        """Verify and sign with this ring from now on."""
        self._links.use(ring)
        self._jwt.use(ring)

    def mint(self, hip_id: str, queue: str, *, expires_s: int, now_s: int) -> str:
        """A link good until ``expires_s`` (a moment, unix seconds, an hour ahead at most). Raises LinkImpossible.

        The same arguments and key give the same link.
        """
        return self._links.mint(hip_id, queue, expires_s=expires_s, now_s=now_s)

    def read(self, token: str, *, now_s: int) -> CameraClaim:
        """Raises one of the LinkError family."""
        if "." in token:
            return self._jwt.read(token, now_s=now_s)
        claims = self._links.read(token, now_s=now_s)
        return CameraClaim(hip_id=claims.hip_id, queue=claims.name, expires_s=claims.expires_s)
