"""The version of a consent says which sentence was agreed to."""

from hashlib import sha256

from kiosk.locales import BOOK
from kiosk.patient.consent import CONSENT_VERSION, Consent
from kiosk.patient.envelope import Envelope, pack_envelope, unpack_envelope
from kiosk.patient.person import Patient

SENTENCES = {
    1: "6bddbef1c0d99a91dd286569a4801d623458d6df8ac09533713eeef218a5b0c4",
}
"""Version → digest of its sentences. An old row stays: records name it."""


def digest() -> str:
    return sha256("\n".join(f"{code} {BOOK[code].say('form.consent')}" for code in sorted(BOOK)).encode()).hexdigest()


def test_another_sentence_is_another_version() -> None:
    """When this fails: raise CONSENT_VERSION and add a row."""
    assert max(SENTENCES) == CONSENT_VERSION
    assert SENTENCES[CONSENT_VERSION] == digest()


def test_an_envelope_of_before_opens_and_has_no_consent() -> None:
    before = pack_envelope(Envelope(b"note", b"profile", Patient(name="Asha")))[1:-1]
    assert unpack_envelope(b"\x93" + before).consent is None
    sealed = Envelope(patient=Patient(name="Asha"), consent=Consent(1, "ur", 1_764_000_000))
    assert unpack_envelope(pack_envelope(sealed)) == sealed
