"""The version of a consent says which sentence was agreed to."""

from hashlib import sha256

from kiosk.locales import BOOK
from kiosk.patient.consent import CONSENT_VERSION, Consent
from kiosk.patient.envelope import Envelope, pack_envelope, unpack_envelope
from kiosk.patient.person import Patient

SENTENCES: dict[int, dict[str, str]] = {
    1: {"all five together": "6bddbef1c0d99a91dd286569a4801d623458d6df8ac09533713eeef218a5b0c4"},
    2: {
        "doi": "22610944ad556249e457bac72bf000d3",
        "en": "f67078d9bf0cfc40517425b5e5a1c125",
        "hi": "dbb7a230cc61757901a66ad3feea2ce9",
        "ks": "b662b7294e4367a86c0fde8dc2a5ebb9",
        "pa": "e40e88265c57eae60520607b85114500",
        "ur": "bd1920c15476f31129edfcfb7d3fcd8e",
    },
}
"""Version → language → digest of its sentence. An old row stays: records name it."""


def test_another_sentence_is_another_version() -> None:
    """When a sentence changed: raise CONSENT_VERSION and add a row. A new language gets a line in the newest row."""
    assert max(SENTENCES) == CONSENT_VERSION
    now = {code: sha256(messages.say("form.consent").encode()).hexdigest()[:32] for code, messages in BOOK.items()}
    assert SENTENCES[CONSENT_VERSION] == now


def test_an_envelope_of_before_opens_and_has_no_consent() -> None:
    before = pack_envelope(Envelope(b"note", b"profile", Patient(name="Asha")))[1:-1]
    assert unpack_envelope(b"\x93" + before).consent is None
    sealed = Envelope(patient=Patient(name="Asha"), consent=Consent(1, "ur", 1_764_000_000))
    assert unpack_envelope(pack_envelope(sealed)) == sealed
