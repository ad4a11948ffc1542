"""What the forms of the administrator's rooms change: one function for each act.

Each change writes its audit entry in its own step. Of the form the entry has only the name of the changed thing.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from kiosk.accounts.outcomes import Role
from kiosk.accounts.service import Staff
from kiosk.console.forms import counters_of, facility_of, policy_of, queue_of
from queueing.audit import Actor
from queueing.desk import OpdDesk
from queueing.limits import COUNTER_NAME_MAX, QUEUE_ID_MAX
from queueing.outbox import Outbox
from queueing.registry import Registry

LOGIN_MAX: Final = 64
"""Characters of a login that are read; a valid one is shorter."""
PARKED_ID_MAX: Final = 200
"""Characters of the id of a reply that the gateway refused."""


class Sent(Struct, frozen=True, kw_only=True):
    """A form of an administrator, and the parts of the program that it may change."""

    hip: str
    form: dict[str, str]
    actor: Actor
    registry: Registry
    """Acts for ``actor``."""
    staff: Staff
    outbox: Outbox
    desk: OpdDesk

    def field(self, name: str) -> str:
        """What was typed there; empty for a field that was not sent."""
        return self.form.get(name, "")


Act = Callable[[Sent], Awaitable[str]]
"""Does what the form says. Returns the key of the sentence that confirms it (``messages.ADMIN_DONE``)."""


async def _save_queue(sent: Sent) -> str:
    await sent.registry.put_queue(sent.hip, queue_of(sent.form, await sent.registry.queues(sent.hip)))
    return "queue"


async def _open_queue(sent: Sent) -> str:
    is_open = sent.field("open") == "1"
    await sent.registry.open_queue(sent.hip, sent.field("id"), is_open)
    return "queue-opened" if is_open else "queue-closed"


async def _set_default_queue(sent: Sent) -> str:
    await sent.registry.set_default_queue(sent.hip, sent.field("id"))
    return "default"


async def _save_counter(sent: Sent) -> str:
    registry = sent.registry
    counters = counters_of(sent.form, await registry.queues(sent.hip), await registry.counters(sent.hip))
    for counter in counters:
        await registry.put_counter(sent.hip, counter)
    return "counter" if len(counters) == 1 else "counters"


async def _open_counter(sent: Sent) -> str:
    await sent.registry.open_counter(sent.hip, sent.field("name"), sent.field("open") == "1")
    return "counter"


async def _set_policy(sent: Sent) -> str:
    await sent.registry.set_policy(sent.hip, policy_of(sent.form))
    return "policy"


async def _map_text(sent: Sent) -> str:
    await sent.registry.map_text(sent.hip, sent.field("text"), sent.field("counter"))
    return "text"


async def _save_facility(sent: Sent) -> str:
    await sent.registry.put_facility(facility_of(sent.form, await sent.registry.facility(sent.hip)))
    return "facility"


async def _disable_login(sent: Sent) -> str:
    is_disabled = sent.field("disabled") == "1"
    await sent.staff.disable(sent.field("login"), is_disabled, within=sent.hip, by=sent.actor)
    return "disabled" if is_disabled else "enabled"


async def _end_sessions(sent: Sent) -> str:
    await sent.staff.end_sessions(sent.field("login"), within=sent.hip, by=sent.actor)
    return "sign-out"


async def _resend_reply(sent: Sent) -> str:
    parked = sent.field("id")[:PARKED_ID_MAX]
    is_resent = await sent.outbox.resend(sent.hip, parked, sent.actor.act("admin_resend", parked))
    return "resent" if is_resent else "not_resent"


async def _remove_queue(sent: Sent) -> str:
    queue = sent.field("id")[:QUEUE_ID_MAX]
    await sent.desk.remove(sent.hip, "queue", queue, sent.actor.act("admin_queue-removed", queue))
    return "remove-queue"


async def _remove_counter(sent: Sent) -> str:
    counter = sent.field("name")[:COUNTER_NAME_MAX]
    await sent.desk.remove(sent.hip, "counter", counter, sent.actor.act("admin_counter-removed", counter))
    return "remove-counter"


async def _remove_login(sent: Sent) -> str:
    await sent.staff.remove(sent.field("login"), within=sent.hip, by=sent.actor)
    return "remove-staff"


ACTS: Final[dict[str, Act]] = {
    "queue": _save_queue,
    "queue-open": _open_queue,
    "default": _set_default_queue,
    "counter": _save_counter,
    "counter-open": _open_counter,
    "policy": _set_policy,
    "text": _map_text,
    "facility": _save_facility,
    "disable": _disable_login,
    "sign-out": _end_sessions,
    "resend": _resend_reply,
    "remove-queue": _remove_queue,
    "remove-counter": _remove_counter,
    "remove-staff": _remove_login,
}
"""Raise NotFilledIn, StaffError and RegistryError. A removal raises StillUsed for what is or was in use."""


async def add_login(sent: Sent) -> tuple[str, str]:
    """Make a login. Returns it and its first password, which the page shows once. Raises StaffError."""
    login, name = _login_of(sent), sent.field("name")
    role: Role = "admin" if sent.field("role") == "admin" else "clerk"
    return await sent.staff.add_here(login, facility=sent.hip, role=role, name=name, by=sent.actor)


async def reset_password(sent: Sent) -> tuple[str, str]:
    """Make a new password. Returns the login and the password, which the page shows once. Raises StaffError."""
    login = _login_of(sent)
    return login, await sent.staff.reset(login, within=sent.hip, by=sent.actor)


def _login_of(sent: Sent) -> str:
    return sent.field("login").strip().lower()[:LOGIN_MAX]


NEW_PASSWORDS: Final[dict[str, Callable[[Sent], Awaitable[tuple[str, str]]]]] = {
    "staff": add_login,
    "reset": reset_password,
}
"""Acts whose page shows a password once."""
