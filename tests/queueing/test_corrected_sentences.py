"""Corrections of sentences come with the facility's settings, are bounded, and each act is in the audit."""

import msgspec
import pytest

from queueing.audit import UNRECORDED, Actor, Audit
from queueing.corrected_sentences import CorrectedSentences, TooManyCorrections
from queueing.corrections import CORRECTION_MAX, CORRECTIONS_MAX, NO_CORRECTIONS, Correction, Corrections
from queueing.registry import DoesNotFit, Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, build, open_desk

pytestmark = pytest.mark.anyio
ADMIN = Actor(login="imran", address="10.0.0.1")
ONE = Correction(language="ks", key="board.closed", forms=("بَنٛد چھُ",), source="a1", by="imran", at_ms=1_790_000_000_000)


async def corrections(store: Store) -> Corrections:
    """As both readings have them, and the snapshot counts them."""
    facility, hospital = await Registry(store).facility(HIP), await Registry(store).hospital(HIP)
    snapshot = await open_desk(store).snapshot(HIP)
    assert facility is not None
    assert hospital is not None
    assert snapshot is not None
    assert facility.corrections == hospital.facility.corrections
    assert snapshot.corrected == facility.corrections.changes
    return facility.corrections


async def test_a_correction_stands_until_it_is_taken_back(store: Store) -> None:
    await build(store)
    sentences = CorrectedSentences(store)
    assert await corrections(store) == NO_CORRECTIONS
    other = msgspec.structs.replace(ONE, language="hi", forms=("बंद", "बंद हैं"))
    await sentences.correct(HIP, ONE, act=ADMIN.act("admin_word-correct", ONE.name))
    await sentences.correct(HIP, other, act=ADMIN.act("admin_word-correct", other.name))
    assert await corrections(store) == Corrections(changes=2, entries=(other, ONE))
    assert (await corrections(store)).of("ks") == {"board.closed": ONE}
    again = msgspec.structs.replace(ONE, forms=("بَنٛد",))
    await sentences.correct(HIP, again, act=ADMIN.act("admin_word-correct", ONE.name))
    assert (await corrections(store)).of("ks") == {"board.closed": again}
    facility = await Registry(store).facility(HIP)
    assert facility is not None
    await Registry(store).put_facility(msgspec.structs.replace(facility, name="Renamed"))
    for one in (again, other):
        assert await sentences.take_back(HIP, one.name, act=ADMIN.act("admin_word-back", one.name))
    assert not await sentences.take_back(HIP, ONE.name, act=ADMIN.act("admin_word-back", ONE.name))
    assert await corrections(store) == Corrections(changes=5)
    entries = [(entry.kind, entry.by, entry.why) for entry in await Audit(store).read(HIP)]
    assert entries[:2] == [("admin_word-back", "imran", "hi board.closed"), ("admin_word-back", "imran", ONE.name)]
    assert [kind for kind, _, _ in entries].count("admin_word-correct") == 3


async def fill(sentences: CorrectedSentences, forms: tuple[str, ...]) -> None:
    """As many corrections as there may be."""
    for number in range(CORRECTIONS_MAX):
        one = msgspec.structs.replace(ONE, key=f"board.k{number}", forms=forms)
        await sentences.correct(HIP, one, act=UNRECORDED)


async def test_number_and_length_of_corrections_are_bounded(store: Store) -> None:
    await build(store)
    sentences = CorrectedSentences(store)
    await fill(sentences, ("بَنٛد چھُ",))
    with pytest.raises(TooManyCorrections):
        await sentences.correct(HIP, ONE, act=ADMIN.act("admin_word-correct", ONE.name))
    assert len((await corrections(store)).entries) == CORRECTIONS_MAX
    assert "admin_word-correct" not in {entry.kind for entry in await Audit(store).read(HIP)}
    with pytest.raises(TooManyCorrections):
        await fill(sentences, ("ل" * CORRECTION_MAX,) * 6)
    for wrong in ({"forms": ("x" * (CORRECTION_MAX + 1),)}, {"forms": ()}, {"forms": ("",)}, {"key": "../x"}):
        with pytest.raises(DoesNotFit):
            await sentences.correct(HIP, msgspec.structs.replace(ONE, **wrong), act=UNRECORDED)
