"""``kiosk staff``: logins. Passwords are generated, printed once and stored only as a hash."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import click

from kiosk.accounts.outcomes import Member, Role
from kiosk.accounts.service import Staff, StaffError
from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.cli.running import OPERATOR, CommandFailed, a_table, as_json, settings_now, tell, with_store
from queueing.audit import Audit, AuditEntry
from queueing.registry import Registry
from queueing.store.store import Store


@contextmanager
def _staff_of(store: Store) -> Iterator[Staff]:
    """The logins; what they refuse is said in one line."""
    logins = Staff(store)
    try:
        yield logins
    except StaffError as wrong:
        raise CommandFailed(str(wrong) or type(wrong).__name__) from None
    finally:
        logins.close()


async def _known(logins: Staff, login: str) -> Member:
    member = await logins.member(login)
    if member is None:
        raise CommandFailed(f"no login {login}")
    return member


@click.group()
def staff() -> None:
    """Logins of clerks and administrators."""


@staff.command()
@click.argument("login")
@click.option("--facility", required=True, help="HIP id; '*' makes a state administrator.")
@click.option("--role", type=click.Choice(["clerk", "admin"]), required=True)
@click.option("--name", default="", help="Name in the head of the console's pages.")
@as_json
def add(login: str, facility: str, role: str, name: str, json: bool) -> None:
    """Add a login and print its first password, once. It is good for 72 hours and is changed at the first sign-in."""

    async def write(store: Store) -> str:
        if facility != EVERY_FACILITY and await Registry(store).facility(facility) is None:
            raise CommandFailed(f"no facility {facility}: add it first (kiosk facility add, kiosk facility import)")
        with _staff_of(store) as logins:
            return await logins.add(login, facility=facility, role=cast(Role, role), name=name, by=OPERATOR)

    password = with_store(settings_now(), write)
    document = {"login": login.strip().lower(), "facility": facility, "role": role, "password": password}
    tell(
        json,
        document,
        f"login     {document['login']}",
        f"password  {password}",
        "The password is shown only now and is good for 72 hours. Sign in with it and choose another.",
    )


@staff.command()
@click.argument("login")
@as_json
def reset(login: str, json: bool) -> None:
    """Print a new first password, once; the old one and all open sessions end. It is good for 72 hours."""

    async def write(store: Store) -> str:
        with _staff_of(store) as logins:
            member = await _known(logins, login)
            return await logins.reset(login, within=member.facility, by=OPERATOR)

    password = with_store(settings_now(), write)
    tell(json, {"login": login, "password": password}, f"login     {login}", f"password  {password}")


@staff.command()
@click.argument("login")
@as_json
def remove(login: str, json: bool) -> None:
    """Remove a login that nobody ever signed in with. Others are disabled on the page, because the audit names them."""

    async def write(store: Store) -> None:
        with _staff_of(store) as logins:
            member = await _known(logins, login)
            await logins.remove(login, within=member.facility, by=OPERATOR)

    with_store(settings_now(), write)
    tell(json, {"login": login}, f"{login} removed")


@staff.command("reset-totp")
@click.argument("login")
@as_json
def reset_totp(login: str, json: bool) -> None:
    """Forget the authenticator app and the recovery codes of a lost phone. All open sessions end.

    A state administrator sets up a new phone at the next sign-in. Make sure that the person who asks is the person.
    """

    async def write(store: Store) -> Member:
        with _staff_of(store) as logins:
            return await logins.reset_phone(login, OPERATOR)

    member = with_store(settings_now(), write)
    required = "It must be set up anew at the next sign-in." if member.facility == EVERY_FACILITY else ""
    document = {"login": member.login, "facility": member.facility}
    tell(json, document, f"{member.login} has no authenticator app now. {required}".rstrip())


@staff.command("list")
@click.option("--facility", required=True, help="HIP id, or '*' for the state administrators.")
@as_json
def list_(facility: str, json: bool) -> None:
    """List the logins of a facility."""

    async def read(store: Store) -> list[Member]:
        with _staff_of(store) as logins:
            return await logins.of(facility)

    found = with_store(settings_now(), read)
    rows = [(one.login, one.role, one.name, "yes" if one.disabled else "no") for one in found]
    document = [{"login": one.login, "role": one.role, "name": one.name, "disabled": one.disabled} for one in found]
    tell(json, document, *(a_table(("LOGIN", "ROLE", "NAME", "DISABLED"), rows) if rows else ["no login yet"]))


@staff.command()
@click.option(
    "--facility", default="", help="HIP id; '*' for state administrators; without it: tries at unknown logins."
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Number of entries, newest first."
)
@as_json
def audit(facility: str, limit: int, json: bool) -> None:
    """List sign-ins, readings of profiles and changes of settings, newest first."""

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
