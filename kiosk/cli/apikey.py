"""``kiosk apikey``: keys of other programs. A key is printed once; the store has its digest alone."""

import datetime

import click

from kiosk.cli.running import OPERATOR, CommandFailed, a_table, as_json, settings_now, tell, with_store
from queueing.api_keys import EVERY_FACILITY, NAME_MAX, ApiKey, ApiKeys, Scope
from queueing.registry import Registry
from queueing.store.store import Store


@click.group()
def apikey() -> None:
    """Keys by which other programs call the API."""


@apikey.command()
@click.argument("name")
@click.option("--facility", required=True, help="HIP id; '*' for every facility.")
@click.option("--scope", required=True, help=f"One or several of {', '.join(Scope)}, with commas between.")
@as_json
def add(name: str, facility: str, scope: str, json: bool) -> None:
    """Make a key and print it, once. It counts at once, in every process."""
    scopes = _scopes(scope)
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise CommandFailed(f"a key's name has 1 to {NAME_MAX} characters")

    async def write(store: Store) -> tuple[ApiKey, str]:
        if facility != EVERY_FACILITY and await Registry(store).facility(facility) is None:
            raise CommandFailed(f"no facility {facility}: add it first (kiosk facility add, kiosk facility import)")
        return await ApiKeys(store).add(name.strip(), facility, scopes, by=OPERATOR.login)

    key, text = with_store(settings_now(), write)
    tell(
        json,
        {"id": key.id, "name": key.name, "facility": key.facility, "scopes": list(key.scopes), "key": text},
        f"id   {key.id}",
        f"key  {text}",
        "The key is shown only now. The other program sends it as `Authorization: Bearer <key>`.",
    )


def _scopes(text: str) -> list[Scope]:
    scopes = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in scopes if word not in set(Scope)]
    if unknown or not scopes:
        raise CommandFailed(f"--scope is one or several of {', '.join(Scope)}, with commas between")
    return [Scope(word) for word in scopes]


@apikey.command("list")
@click.option("--facility", default="", help="HIP id, or '*' for keys of every facility; without it: all keys.")
@as_json
def list_(facility: str, json: bool) -> None:
    """List keys: scopes, who made them, and when they were last used (to the minute)."""

    async def read(store: Store) -> list[tuple[ApiKey, int]]:
        return await ApiKeys(store).of(facility)

    head = ("id", "name", "facility", "scopes", "made", "by", "last_used")
    rows = [
        (key.id, key.name, key.facility, ",".join(key.scopes), _utc(key.made_s), key.by, _utc(used_s))
        for key, used_s in with_store(settings_now(), read)
    ]
    document = [dict(zip(head, row, strict=True)) for row in rows]
    titles = tuple(word.upper().replace("_", " ") for word in head)
    tell(json, document, *(a_table(titles, rows) if rows else ["no key yet"]))


@apikey.command()
@click.argument("key_id", metavar="ID")
@as_json
def revoke(key_id: str, json: bool) -> None:
    """End a key. Within five seconds no process takes it any more."""

    async def write(store: Store) -> ApiKey | None:
        return await ApiKeys(store).revoke(key_id, by=OPERATOR.login)

    key = with_store(settings_now(), write)
    if key is None:
        raise CommandFailed(f"no key {key_id}: `kiosk apikey list` shows the ids")
    tell(json, {"id": key.id, "name": key.name}, f"{key.name} ({key.id}) is revoked.")


def _utc(at_s: int) -> str:
    return datetime.datetime.fromtimestamp(at_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at_s else "never"
