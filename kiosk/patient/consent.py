"""What a patient without an ABHA app agreed to, kept with the form: which text, in which language, when."""

from typing import Final

from msgspec import Struct

CONSENT_VERSION: Final = 2
"""Of the sentence ``form.consent`` in all languages together. It goes up when the sentence changes in any of them:
``tests/kiosk/patient/test_consent.py`` holds a digest of each version's sentences.
"""


class Consent(Struct, frozen=True, array_like=True):
    """One agreement. New fields go last and have defaults: it is kept in the sealed envelope."""

    version: int
    language: str
    at_s: int
    """Unix time at which the form was sent."""
