"""``kiosk staff``: logins. Passwords are generated, printed once and kept nowhere."""

import datetime
from typing import Final, cast

import click

from kiosk.accounts.service import Member, Role, Staff, StaffError
from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.cli.running import CommandFailed, a_table, as_json, settings_now, tell, with_store
from queueing.audit import Audit, AuditEntry
from queueing.registry import Registry
from queueing.store.store import Store

COMMAND_LINE: Final = "(command line)"
"""Who did it, in the audit; no login has such characters."""


@click.group()
def staff() -> None:
    """Logins of clerks and administrators."""


@staff.command()
@click.argument("login")
@click.option("--facility", required=True, help="HIP id; '*' makes a state administrator.")
@click.option("--role", type=click.Choice(["clerk", "admin"]), required=True)
@click.option("--name", default="", help="As the console greets.")
@as_json
def add(login: str, facility: str, role: str, name: str, json: bool) -> None:
    """Add a login and print its first password, once. It must be changed at the first sign-in."""

    async def write(store: Store) -> str:
        if facility != EVERY_FACILITY and await Registry(store).facility(facility) is None:
            raise CommandFailed(f"no facility {facility}: add it first (kiosk facility add, kiosk facility import)")
        return await _added(store, login, facility, cast(Role, role), name)

    password = with_store(settings_now(), write)
    told = {"login": login.strip().lower(), "facility": facility, "role": role, "password": password}
    tell(
        json,
        told,
        f"login     {told['login']}",
        f"password  {password}",
        "It is shown this once; sign in and choose another.",
    )


async def _added(store: Store, login: str, facility: str, role: Role, name: str) -> str:
    people = Staff(store)
    try:
        password = await people.add(login, facility=facility, role=role, name=name)
        await Audit(store).record(facility, "admin_staff", by=COMMAND_LINE, why=login)
        return password
    except StaffError as wrong:
        raise CommandFailed(str(wrong) or type(wrong).__name__) from None
    finally:
        people.close()


@staff.command()
@click.argument("login")
@as_json
def reset(login: str, json: bool) -> None:
    """Print a new first password, once; the old one and all open sessions end."""

    async def write(store: Store) -> str:
        people = Staff(store)
        try:
            member = await people.member(login)
            if member is None:
                raise CommandFailed(f"no login {login}")
            password = await people.reset(login, within=member.facility)
            await Audit(store).record(member.facility, "admin_reset", by=COMMAND_LINE, why=member.login)
            return password
        finally:
            people.close()

    password = with_store(settings_now(), write)
    tell(json, {"login": login, "password": password}, f"login     {login}", f"password  {password}")


@staff.command("list")
@click.option("--facility", required=True, help="HIP id, or '*' for the state administrators.")
@as_json
def list_(facility: str, json: bool) -> None:
    """List the logins of a facility."""

    async def read(store: Store) -> list[Member]:
        people = Staff(store)
        try:
            return await people.of(facility)
        finally:
            people.close()

    found = with_store(settings_now(), read)
    rows = [(one.login, one.role, one.name, "yes" if one.disabled else "no") for one in found]
    told = [{"login": one.login, "role": one.role, "name": one.name, "disabled": one.disabled} for one in found]
    tell(json, told, *(a_table(("LOGIN", "ROLE", "NAME", "DISABLED"), rows) if rows else ["no login yet"]))


@staff.command()
@click.option("--facility", default="", help="HIP id; '*' for state administrators; none: tries at unknown logins.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The newest so many.")
@as_json
def audit(facility: str, limit: int, json: bool) -> None:
    """Show who signed in, read profiles and changed settings, newest first."""

    async def read(store: Store) -> list[AuditEntry]:
        return await Audit(store).read(facility, limit=limit)

    entries = with_store(settings_now(), read)
    rows = [(_utc(entry), entry.kind, entry.by, entry.address, entry.ticket, entry.why) for entry in entries]
    head = ("UTC", "ACT", "LOGIN", "FROM", "TICKET", "WHY")
    document = [dict(zip(("at", "act", "login", "from", "ticket", "why"), row, strict=True)) for row in rows]
    tell(json, document, *(a_table(head, rows) if rows else ["no act yet"]))


def _utc(entry: AuditEntry) -> str:
    at_s = int(entry.id.partition("-")[0]) / 1000
    return datetime.datetime.fromtimestamp(at_s, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
