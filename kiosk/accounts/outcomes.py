"""What signing in answers, and a member of staff without the password."""

from typing import Literal

from msgspec import Struct

Role = Literal["clerk", "admin"]


class Member(Struct, frozen=True, kw_only=True):
    """One member of staff, without the password."""

    login: str
    name: str
    facility: str
    """HIP id, or ``*`` for a state administrator."""
    role: Role
    must_change: bool
    disabled: bool
    generation: int
    """One more each time all sessions of this login end."""
    counter: str
    """Counter this login used last."""
    second_factor: bool
    """An authenticator app is set up."""
    unused: bool = False
    """Nobody ever signed in with it, so it can be removed."""


class SignedIn(Struct, frozen=True, kw_only=True):
    """A successful sign-in."""

    reference: str
    """256 random bits for the cookie; the store has only their digest."""
    device: str
    """Marks this browser as known to the limits of tries; it gives no access."""
    member: Member


class CodeDue(Struct, frozen=True, kw_only=True):
    """The password is right; the code of the authenticator app comes next."""

    reference: str
    """As of ``SignedIn``; this session can do nothing but enter the code."""


class PhoneSet(Struct, frozen=True, kw_only=True):
    """An authenticator app is set up."""

    signed: SignedIn
    recovery: tuple[str, ...]
    """Shown once."""


class Wrong(Struct, frozen=True):
    """Unknown login, wrong password, disabled login or wrong code. The answer does not say which."""


class Ended(Struct, frozen=True):
    """The password is right, but it is a first password and its time is over."""


class TooOften(Struct, frozen=True):
    """Too many tries; the next one is allowed after ``wait_s``."""

    wait_s: int


Refusal = Wrong | Ended | TooOften
Answer = SignedIn | Refusal
