"""The errors of tokens, key rings and pictures. Each has its own class; all have one base class.

No message contains the token, a key or anything that a caller sent, so every message may be logged.
"""


class TokenError(Exception):
    """This token is not one of ours, or cannot be made."""


class CounterCodeError(TokenError):
    """A counter text that proves nothing about a screen."""


class NotACounterCode(CounterCodeError):
    """Not the form of a signed code: the text of a printed poster, or nonsense. Look it up as a counter name."""


class CounterCodeForged(CounterCodeError):
    """The right form and a wrong proof: guessed, altered, of another facility, or of a key that is no longer valid."""


class CounterCodeExpired(CounterCodeError):
    """Our code, older than the stale grade allows. The patient must scan the screen again."""


class CounterCodeTooEarly(CounterCodeError):
    """Our code, from a slot that has not begun. The clock of the screen or of this machine is wrong."""


class CounterNotCodable(CounterCodeError):
    """This counter name or HIP id cannot stand in a signed code; print a poster with the bare name instead."""


class LinkError(TokenError):
    """A ticket or camera link that is refused."""


class NotALink(LinkError):
    """Not a signed link, or a link whose claims are not exactly ours."""


class LinkOfAnotherKind(LinkError):
    """Signed for another purpose: a camera link is not a ticket link."""


class LinkOfAnotherPlace(LinkError):
    """Issued by or meant for another service (``iss``, ``aud``)."""


class LinkKeyUnknown(LinkError):
    """Names a key that was never ours, was revoked, or has retired."""


class LinkForged(LinkError):
    """The signature does not match the claims."""


class LinkExpired(LinkError):
    """The link has expired. A new link is needed."""


class LinkTooEarly(LinkError):
    """Issued in the future: a clock is wrong by more than the leeway."""


class LinkImpossible(LinkError):
    """The link cannot be made: its text is too long, it would live too long, or it would already be expired."""


class KeyRingError(TokenError):
    """The key ring cannot be used or changed in this way."""


class KeyRingBroken(KeyRingError):
    """These bytes are not a key ring that this release understands. The message names the place, never the content."""


class KeyRingFull(KeyRingError):
    """Too many rotations in a short time. One more would invalidate codes and links that are still in use."""


class KeyUnknown(KeyRingError):
    """No key of this id is in the ring."""


class PictureError(TokenError):
    """A QR that cannot be drawn: its text is too long, or empty."""
