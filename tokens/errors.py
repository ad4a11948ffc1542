"""The ways a token, a key ring or a picture can be bad. Each has its own name, under one base that callers can catch.

No message carries the token, a key or anything a caller sent: these words may stand in a log.
"""


class TokenError(Exception):
    """What was handed in is not what we gave out, or cannot be given out."""


class CounterCodeError(TokenError):
    """A counter text that proves nothing about a screen."""


class NotACounterCode(CounterCodeError):
    """Not the shape of a signed code: the text of a printed poster, or nonsense. Look it up as a name."""


class CounterCodeForged(CounterCodeError):
    """The right shape and a wrong proof: guessed, altered, of another facility, or of a key no longer believed."""


class CounterCodeExpired(CounterCodeError):
    """Ours, but too old even to be called stale; scanning the screen again helps."""


class CounterCodeTooEarly(CounterCodeError):
    """Ours, from a slot that has not begun: the clock that made it or the clock that reads it is wrong."""


class CounterNotCodable(CounterCodeError):
    """This counter name or HIP id cannot stand in a signed code; print a poster with the bare name instead."""


class LinkError(TokenError):
    """A ticket or camera link that opens nothing."""


class NotALink(LinkError):
    """Not a signed link at all, or one that says more or less than our links say."""


class LinkOfAnotherKind(LinkError):
    """Signed for another purpose: one kind of link never opens another kind's door."""


class LinkOfAnotherPlace(LinkError):
    """Issued by or meant for another service (``iss``, ``aud``)."""


class LinkKeyUnknown(LinkError):
    """Names a key that was never ours, was revoked, or has retired."""


class LinkForged(LinkError):
    """The signature does not belong to the words."""


class LinkExpired(LinkError):
    """Its time has passed; a new link helps."""


class LinkTooEarly(LinkError):
    """Issued in the future: a clock is wrong by more than the leeway."""


class LinkImpossible(LinkError):
    """What should be minted breaks the bounds of a link: too long, lasting too long, or over before it begins."""


class KeyRingError(TokenError):
    """The key ring cannot be used or changed as asked."""


class KeyRingBroken(KeyRingError):
    """These bytes are not a key ring that this release understands. Says where, never what stood there."""


class KeyRingFull(KeyRingError):
    """So many rotations within one token's life that another would have to disbelieve honest people."""


class KeyUnknown(KeyRingError):
    """No key of this id is in the ring."""


class PictureError(TokenError):
    """A QR that cannot be drawn: too long, empty, or with letters our font does not have."""
