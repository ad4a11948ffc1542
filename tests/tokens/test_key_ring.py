"""The key ring: rotation refuses nobody, ids are never used twice, each purpose has its own key, nothing leaks."""

import json
import traceback
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tokens import (
    CameraLinks,
    CounterCodeForged,
    CounterCodes,
    Grade,
    KeyRing,
    KeyRingBroken,
    KeyRingFull,
    KeyState,
    KeyUnknown,
    LinkKeyUnknown,
    TicketLinks,
)
from tokens.claims import LONGEST_LIFE_S
from tokens.keyring import MASTER_KEPT_S, MOST_VERIFYING, REVOKED_REMEMBERED, SealMaster

NOW = 1_800_000_000
HIP = "IN0110000123"
PLACE = "https://kiosk.example.in"
DAY_S = 86_400
TODAY = NOW // DAY_S


def states(ring: KeyRing) -> list[KeyState]:
    return [generation.state for generation in ring.generations]


def secrets_of(ring: KeyRing) -> Iterator[bytes]:
    yield from (ring.person_secret, ring.session_secret)
    for generation in ring.generations:
        if generation.secret:
            yield from (generation.secret, generation.counter_key(), generation.link_key().private_bytes_raw())
    for master in ring.masters:
        yield master.secret
    yield from (ring.person_key(), *(key for m in ring.masters if (key := m.for_day(NOW // DAY_S))))


@settings(max_examples=60)
@given(
    st.integers(min_value=0, max_value=DAY_S),
    st.lists(st.integers(min_value=0, max_value=DAY_S), max_size=6),
)
def test_rotating_at_any_moments_between_showing_and_reading_refuses_no_genuine_code(
    age_s: int, at_s: list[int]
) -> None:
    ring = KeyRing.generate(NOW - 100 * DAY_S)
    code = CounterCodes(ring).mint(HIP, "M1", NOW)
    for moment_s in sorted(at_s):
        ring = ring.rotate(NOW + moment_s)
    proof = CounterCodes(ring).read(code, HIP, NOW + max([age_s, *at_s]))
    assert proof.counter == "M1"
    assert proof.grade is (Grade.FRESH if proof.age_s <= 600 else Grade.STALE)


def test_a_rotation_every_two_seconds_refuses_no_scan_half_a_minute_old() -> None:
    ring = KeyRing.generate(NOW - DAY_S)
    shown: list[tuple[int, str]] = []
    for second in range(60):
        if second % 2 == 0:
            ring = ring.rotate(NOW + second)
        codes = CounterCodes(ring)
        shown.append((NOW + second, codes.mint(HIP, "M1", NOW + second)))
        for _, code in shown[-30:]:
            assert codes.read(code, HIP, NOW + second).grade is Grade.FRESH


def test_a_worker_with_the_old_ring_accepts_codes_of_the_new_ring() -> None:
    old = KeyRing.generate(NOW)
    new = KeyRing.from_json(old.to_json()).rotate(NOW + 60)
    code = CounterCodes(new).mint(HIP, "M1", NOW + 61)
    link = CameraLinks(new, audience=PLACE).mint(HIP, "opd", expires_s=NOW + 120, now_s=NOW + 61)
    ticket = TicketLinks(new, audience=PLACE).mint(HIP, "t-1", expires_s=NOW + DAY_S, now_s=NOW)
    assert TicketLinks(old, audience=PLACE).read(ticket, now_s=NOW + 61).ticket == "t-1"
    assert CounterCodes(old).read(code, HIP, NOW + 61).grade is Grade.FRESH
    assert CameraLinks(old, audience=PLACE).read(link, now_s=NOW + 61).queue == "opd"
    assert new.signing.kid in {key["kid"] for key in json.loads(old.jwks())["keys"]}


def test_links_given_out_before_two_rotations_still_open() -> None:
    ring = KeyRing.generate(NOW)
    link = TicketLinks(ring, audience=PLACE).mint(HIP, "t-1", expires_s=NOW + DAY_S, now_s=NOW)
    ring = ring.rotate(NOW + 10).rotate(NOW + 20)
    assert TicketLinks(ring, audience=PLACE).read(link, now_s=NOW + 30).ticket == "t-1"


def test_codes_and_links_change_to_a_new_ring_while_running() -> None:
    ring = KeyRing.generate(NOW)
    codes, links = CounterCodes(ring), CameraLinks(ring, audience=PLACE)
    other = KeyRing.generate(NOW)
    codes.use(other)
    links.use(other)
    assert CounterCodes(other).read(codes.mint(HIP, "M1", NOW), HIP, NOW).counter == "M1"
    link = links.mint(HIP, "opd", expires_s=NOW + 60, now_s=NOW)
    assert CameraLinks(other, audience=PLACE).read(link, now_s=NOW).queue == "opd"
    with pytest.raises(LinkKeyUnknown):
        CameraLinks(ring, audience=PLACE).read(link, now_s=NOW)


def test_with_slow_rotation_the_last_two_generations_and_the_next_one_verify() -> None:
    ring = KeyRing.generate(NOW)
    for month in range(1, 5):
        ring = ring.rotate(NOW + month * 30 * DAY_S)
        assert states(ring) == [KeyState.SIGNING, KeyState.VERIFYING, KeyState.NEXT]
    assert len(CounterCodes(ring)._keys) == 3


def test_a_generation_goes_through_its_states_in_order() -> None:
    ring = KeyRing.generate(NOW)
    watched = next(g.kid for g in ring.generations if g.state is KeyState.NEXT)
    seen = []
    for step in range(4):
        seen.append({g.kid: g.state for g in ring.generations}.get(watched))
        ring = ring.rotate(NOW + (step + 1) * (LONGEST_LIFE_S + 1))
    assert seen == [KeyState.NEXT, KeyState.SIGNING, KeyState.VERIFYING, None]


def test_a_rotation_that_would_invalidate_codes_in_use_is_refused() -> None:
    ring = KeyRing.generate(NOW)
    for step in range(MOST_VERIFYING):
        ring = ring.rotate(NOW + step)
    with pytest.raises(KeyRingFull):
        ring.rotate(NOW + MOST_VERIFYING)
    assert len(ring.rotate(NOW + LONGEST_LIFE_S + MOST_VERIFYING).believed) == 3
    assert len(ring.revoke_all(NOW).to_json()) < 65_536


@given(st.lists(st.sampled_from(["rotate", "revoke signing", "revoke next", "revoke all"]), max_size=12))
@settings(max_examples=30)
def test_ids_are_never_used_twice_and_every_change_gives_a_valid_ring(changes: list[str]) -> None:
    ring = KeyRing.generate(NOW)
    born = [g.kid for g in ring.generations]
    master_ids = list(ring.seal_masters())
    for step, change in enumerate(changes):
        now_s = NOW + step * 2 * DAY_S
        before = {g.kid for g in ring.generations}
        if change == "rotate":
            ring = ring.rotate(now_s)
        elif change == "revoke all":
            ring = ring.revoke_all(now_s)
        else:
            wanted = KeyState(change.removeprefix("revoke "))
            ring = ring.revoke(next(g.kid for g in ring.generations if g.state is wanted), now_s)
        born += [g.kid for g in ring.generations if g.kid not in before]
        master_ids += [i for i in ring.seal_masters() if i not in master_ids]
        assert KeyRing.from_json(ring.to_json()) == ring
    assert len(born) == len(set(born))
    assert master_ids == list(range(1, len(master_ids) + 1))


def test_a_revoked_signing_key_takes_the_next_one_with_it_and_a_new_one_signs() -> None:
    ring = KeyRing.generate(NOW)
    code = CounterCodes(ring).mint(HIP, "M1", NOW)
    link = TicketLinks(ring, audience=PLACE).mint(HIP, "t-1", expires_s=NOW + DAY_S, now_s=NOW)
    revoked = ring.revoke(ring.signing.kid, NOW + 1)
    assert {g.kid for g in ring.generations}.isdisjoint(g.kid for g in revoked.believed)
    assert sorted(states(revoked)) == sorted([KeyState.SIGNING, KeyState.NEXT, KeyState.REVOKED, KeyState.REVOKED])
    assert [g.secret for g in revoked.generations if g.state is KeyState.REVOKED] == [b"", b""]
    with pytest.raises(CounterCodeForged):
        CounterCodes(revoked).read(code, HIP, NOW + 1)
    with pytest.raises(LinkKeyUnknown):
        TicketLinks(revoked, audience=PLACE).read(link, now_s=NOW)


def test_revoking_the_verifying_key_leaves_the_signing_one() -> None:
    ring = KeyRing.generate(NOW).rotate(NOW + 1)
    signing = ring.signing.kid
    verifying = next(g.kid for g in ring.generations if g.state is KeyState.VERIFYING)
    revoked = ring.revoke(verifying, NOW + 2)
    assert revoked.signing.kid == signing
    assert verifying not in {g.kid for g in revoked.believed}
    assert revoked.revoke(verifying, NOW + 3) == revoked


def test_an_unknown_key_cannot_be_revoked() -> None:
    with pytest.raises(KeyUnknown):
        KeyRing.generate(NOW).revoke("nobody", NOW)


def test_after_revoke_all_no_old_key_verifies_and_old_profiles_open() -> None:
    stolen = KeyRing.generate(NOW).rotate(NOW + 1)
    clean = stolen.revoke_all(NOW + 2)
    for generation in stolen.believed:
        assert generation.kid not in {g.kid for g in clean.believed}
    assert clean.sessions_from_s == NOW + 2
    assert clean.person_key() == stolen.person_key()
    assert clean.seal_master_id not in stolen.seal_masters()
    for number, master in stolen.seal_masters().items():
        assert clean.seal_masters()[number].stolen
        assert clean.seal_masters()[number].for_day(TODAY) == master.for_day(TODAY)


def test_only_the_latest_revoked_keys_stay_listed() -> None:
    ring = KeyRing.generate(NOW)
    for step in range(40):
        ring = ring.revoke_all(NOW + step)
    assert states(ring).count(KeyState.REVOKED) == REVOKED_REMEMBERED


def test_rotation_does_not_change_the_person_key() -> None:
    ring = KeyRing.generate(NOW)
    later = ring.rotate(NOW + DAY_S).rotate(NOW + 40 * DAY_S)
    assert later.person_key() == ring.person_key()


def test_what_an_older_master_sealed_still_opens_for_its_whole_retention() -> None:
    ring = KeyRing.generate(NOW)
    first = ring.seal_masters()[1].for_day(TODAY)
    assert ring.rotate(NOW + 10).seal_master_id == 1
    for day in range(1, 60):
        ring = ring.rotate(NOW + day * DAY_S)
        assert ring.seal_master_id == day + 1
        assert ring.seal_masters()[1].for_day(TODAY) == first
    ring = ring.rotate(NOW + MASTER_KEPT_S + 2 * DAY_S)
    assert 1 not in ring.seal_masters()


def test_a_ring_that_forgot_a_day_cannot_make_its_key_again_and_makes_all_later_ones() -> None:
    ring = KeyRing.generate(NOW)
    before = {day: ring.masters[0].for_day(day) for day in range(TODAY, TODAY + 40)}
    later = ring.forget_days(NOW + 10 * DAY_S, DAY_S)
    assert [later.masters[0].for_day(day) for day in range(TODAY, TODAY + 9)] == [None] * 9
    assert all(later.masters[0].for_day(day) == before[day] for day in range(TODAY + 9, TODAY + 40))
    assert ring.masters[0].secret not in later.to_json()
    assert later.forget_days(NOW + 10 * DAY_S, DAY_S) is later


@pytest.mark.parametrize("days", [3, 3650, 9000], ids=["three days", "ten years", "25 years"])
def test_after_a_clock_that_ran_ahead_the_ring_seals_today_and_still_opens_the_days_that_came(days: int) -> None:
    ahead = KeyRing.generate(NOW).forget_days(NOW + days * DAY_S, DAY_S)
    right = ahead.sealing_on(NOW)
    assert right.seal_masters()[right.seal_master_id].for_day(TODAY)
    assert right.sealing_on(NOW) is right.forget_days(NOW, DAY_S) is right
    at_last = right.forget_days(NOW + days * DAY_S, DAY_S)
    assert at_last.masters[0].for_day(TODAY + days) == ahead.masters[0].for_day(TODAY + days)


def test_after_a_clock_that_stood_decades_ago_the_ring_opens_what_it_sealed_before() -> None:
    ring = KeyRing.generate(NOW).forget_days(NOW, DAY_S)
    before = ring.masters[0].for_day(TODAY)
    for start in range(5):
        ring = ring.sealing_on(946_684_800 + start).sealing_on(NOW + start).forget_days(NOW + start, DAY_S)
        assert ring.seal_masters()[ring.seal_master_id].for_day(TODAY)
    assert ring.seal_masters()[1].for_day(TODAY) == before
    assert len(KeyRing.from_json(ring.to_json()).masters) <= 11


def test_a_master_of_an_earlier_release_is_dropped_when_the_retention_of_its_days_is_over() -> None:
    old = KeyRing.generate(NOW)
    old = replace(old, version=1, masters=(SealMaster(id=1, made_s=NOW, secret=bytes(32)),))
    ring = old.forget_days(NOW, DAY_S)
    assert (list(ring.seal_masters()), ring.seal_master_id) == ([1, 2], 2)
    assert 1 in ring.forget_days(NOW + 2 * DAY_S, DAY_S).seal_masters()
    assert 1 not in ring.forget_days(NOW + 3 * DAY_S, DAY_S).seal_masters()


def test_every_purpose_and_every_installation_has_its_own_key() -> None:
    rings = [KeyRing.generate(NOW) for _ in range(3)]
    everything = [secret for ring in rings for secret in secrets_of(ring)]
    assert all(len(secret) == 32 for secret in everything)
    assert len(everything) == len(set(everything))


def test_the_key_set_is_public_and_complete() -> None:
    ring = KeyRing.generate(NOW).rotate(NOW + 1).rotate(NOW + 2)
    listed = json.loads(ring.jwks())["keys"]
    assert [key["kid"] for key in listed] == [g.kid for g in ring.believed]
    for key in listed:
        assert key.keys() == {"kty", "crv", "use", "alg", "kid", "x"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")


def test_neither_repr_nor_a_traceback_shows_a_secret() -> None:
    ring = KeyRing.generate(NOW).rotate(NOW + 1)
    texts = [repr(ring), str(ring), repr(ring.generations), repr(ring.masters)]
    texts += [repr(list(part.__rich_repr__())) for part in (ring, *ring.generations, *ring.masters)]
    for secret in secrets_of(ring):
        assert not any(repr(secret) in text for text in texts)


def broken_rings() -> Iterator[tuple[str, bytes]]:
    whole = json.loads(KeyRing.generate(NOW).rotate(NOW + 1).to_json())

    def changed(**fields: object) -> bytes:
        return json.dumps({**whole, **fields}).encode()

    first, *others = whole["generations"]
    yield "nothing", b""
    yield "not JSON", b"{"
    yield "not UTF-8", b'{"version": "\xff"}'
    yield "another thing", b"[]"
    yield "deep", b"[" * 100_000
    yield "huge", b" " * 300_000
    yield "newer", changed(version=3)
    yield "no generation", changed(generations=[])
    yield "two sign", changed(generations=[first, {**others[0], "state": "signing"}, others[1]])
    yield "one twice", changed(generations=[first, first, *others])
    yield "unknown state", changed(generations=[{**first, "state": "hunter2"}, *others])
    yield "swapped secret", changed(generations=[{**first, "secret": others[0]["secret"]}, *others])
    yield "cut secret", changed(generations=[{**first, "secret": first["secret"][:8]}, *others])
    yield "no base64", changed(person_secret="hunter2!")
    yield "empty person secret", changed(person_secret="")
    yield "no master", changed(masters=[])
    yield "master twice", changed(masters=whole["masters"] * 2)


@pytest.mark.parametrize(("what", "data"), list(broken_rings()), ids=[what for what, _ in broken_rings()])
def test_a_broken_ring_is_refused_by_name_and_without_its_content(what: str, data: bytes) -> None:
    with pytest.raises(KeyRingBroken) as refused:
        KeyRing.from_json(data)
    message = "".join(traceback.format_exception(refused.value))
    assert "hunter2" not in message.split("KeyRingBroken")[-1]
    assert refused.value.__cause__ is None
