"""What ``kiosk webhook`` and ``kiosk hl7`` share: list, remove, test and replay."""

import asyncio
import datetime
import time
from typing import Any, assert_never

import click

from kiosk.cli.running import OPERATOR, CommandFailed, a_table, as_json, opened, settings_now, tell, with_store
from kiosk.delivery.message import Attempt, Result
from kiosk.delivery.senders import Senders
from kiosk.delivery.trial import trial_message
from kiosk.exchange.addresses import AddressRefused, Resolver
from kiosk.exchange.target_setup import host_of, place_of
from kiosk.security.encryption import LastingSeal
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.settings import Settings
from queueing.audit import NO_FACILITY, Audit
from queueing.registry import Registry
from queueing.store.store import Store
from queueing.targets import EVERY_FACILITY, Target, TargetKind, Targets, TargetState


def target_seal(settings: Settings) -> LastingSeal:
    """Seals and opens the secrets of webhooks, with the key ring of the data folder."""
    return LastingSeal(KeysOnDisk(settings.data_dir).load_or_create(int(time.time())).target_secret_key())


async def add_target(store: Store, target: Target) -> None:
    """Add a target of a facility that exists; the audit has who did it."""
    if target.facility != EVERY_FACILITY and await Registry(store).facility(target.facility) is None:
        raise CommandFailed(f"no facility {target.facility}: add it first (kiosk facility add, kiosk facility import)")
    await record(store, target, "add")
    await Targets(store).add(target)


def why_unreachable(settings: Settings, target: Target) -> str:
    """Why nothing can be sent to this address now; empty when it can. The role asks again with each event."""

    async def look() -> str:
        resolver = Resolver(private_allowed=settings.private_targets)
        try:
            await resolver.address_of(place_of(target))
        except AddressRefused as refused:
            return str(refused)
        finally:
            resolver.close()
        return ""

    return asyncio.run(look())


def not_yet(why: str) -> list[str]:
    """The line for an address that cannot be reached; none otherwise."""
    return [f"With these settings nothing is sent there: {why}. Events wait."] if why else []


async def record(store: Store, target: Target, act: str) -> None:
    """Write an act of the command line into the audit of the target's facility."""
    hip = NO_FACILITY if target.facility == EVERY_FACILITY else target.facility
    await Audit(store).record(hip, f"admin_target-{act}", by=OPERATOR.login, why=f"{target.id} {host_of(target)}")


def of_kind(group: click.Group, kind: TargetKind) -> None:
    """Add list, remove, test and replay to a group of commands."""

    @group.command("list")
    @click.option("--facility", default="", help="HIP id, or '*'; without it: all.")
    @as_json
    def list_(facility: str, json: bool) -> None:
        """List them, with how many events wait and when one was delivered last."""
        _list(kind, facility, json)

    @group.command()
    @click.argument("target_id", metavar="ID")
    @as_json
    def remove(target_id: str, json: bool) -> None:
        """Remove one. Nothing more is sent to it."""

        async def write(store: Store) -> None:
            await record(store, (await _one(store, kind, target_id)).target, "remove")
            await Targets(store).remove(target_id)

        with_store(settings_now(), write)
        tell(json, {"id": target_id, "removed": True}, f"{target_id} is removed.")

    @group.command()
    @click.argument("target_id", metavar="ID")
    @as_json
    def test(target_id: str, json: bool) -> None:
        """Send one event of type `test` now, about an invented ticket, and show the answer."""
        _test(kind, target_id, json)

    @group.command()
    @click.argument("target_id", metavar="ID")
    @click.option("--after", required=True, metavar="CURSOR", help="Cursor of an event; 0 for all that are kept.")
    @as_json
    def replay(target_id: str, after: str, json: bool) -> None:
        """Send every event after a cursor again, in order. The receiver knows them by their ids."""

        async def write(store: Store) -> None:
            await record(store, (await _one(store, kind, target_id)).target, "replay")
            try:
                await Targets(store).replay(target_id, after)
            except ValueError:
                raise CommandFailed(f"{after!r} is no cursor: take `cursor` of an event, or 0") from None

        with_store(settings_now(), write)
        tell(json, {"id": target_id, "after": after}, f"{target_id} is sent everything after {after} again.")


async def _one(store: Store, kind: TargetKind, target_id: str) -> TargetState:
    state = await Targets(store).one(target_id)
    if state.target.kind is not kind:
        raise CommandFailed(f"{target_id} is no {kind.value} target")
    return state


def _list(kind: TargetKind, facility: str, json: bool) -> None:
    async def read(store: Store) -> list[TargetState]:
        targets = Targets(store)
        _, rows = await targets.read("")
        found = [one for one, _ in rows if one.kind is kind and facility in ("", one.facility)]
        return [await targets.one(one.id) for one in sorted(found, key=lambda one: one.made_ms)]

    document = [_described(one) for one in with_store(settings_now(), read)]
    head = ("id", "facility", "address", "format", "events", "profiles", "state", "failed", "parked", "delivered")
    rows = [tuple(str(row[name]) for name in head) for row in document]
    tell(json, document, *(a_table(tuple(map(str.upper, head)), rows) if rows else [f"no {kind.value} target yet"]))


def _described(state: TargetState) -> dict[str, Any]:
    """One row. The secret is never shown again."""
    target, progress = state.target, state.progress
    profiles = "no"
    if target.wants_profiles:
        profiles = "on" if target.profiles_on else "asked for"
    return {
        "id": target.id, "facility": target.facility, "address": target.address, "format": _format(target),
        "events": ",".join(target.events) or "all", "profiles": profiles, "state": state_of(state),
        "failed": sum(len(one.events) for one in progress.failed) + progress.behind, "parked": len(progress.parked),
        "delivered": _utc(progress.delivered_ms),
    }  # fmt: skip


def _format(target: Target) -> str:
    match target.kind:
        case TargetKind.WEBHOOK:
            return target.format.value
        case TargetKind.HL7:
            return "hl7 tls" if target.tls else "hl7"
        case _:
            assert_never(target.kind)


def state_of(state: TargetState) -> str:
    """In a word or two."""
    if state.target.off:
        return f"off ({state.target.off})"
    return "down" if state.progress.down_since_ms else "ok"


def _utc(at_ms: int) -> str:
    return (
        datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at_ms else "never"
    )


def _test(kind: TargetKind, target_id: str, json: bool) -> None:
    settings = settings_now()

    async def run() -> tuple[Attempt, int]:
        async with opened(settings) as store:
            target = (await _one(store, kind, target_id)).target
            await record(store, target, "test")
        return await _tried(settings, target)

    attempt, took_ms = asyncio.run(run())
    document = {"id": target_id, "result": attempt.result, "status": attempt.status, "ms": took_ms,
                "answer": attempt.answer}  # fmt: skip
    if attempt.result is not Result.DELIVERED:
        raise CommandFailed(f"not taken: {attempt.status} after {took_ms} ms. {attempt.answer}".rstrip())
    tell(json, document, f"taken: {attempt.status} after {took_ms} ms. {attempt.answer}".rstrip())


async def _tried(settings: Settings, target: Target) -> tuple[Attempt, int]:
    resolver, seal = Resolver(private_allowed=settings.private_targets), target_seal(settings)

    def secret_of(one: Target) -> str | None:
        plain = seal.open(one.id, one.secret)
        return plain.decode() if plain is not None else None

    senders = Senders(resolver, secret_of)
    since = time.monotonic()
    try:
        message = trial_message(target, datetime.datetime.now().astimezone())
        attempt = await senders.of(target.kind).send(target, message)
        return attempt, round((time.monotonic() - since) * 1000)
    finally:
        await senders.close()
        resolver.close()
