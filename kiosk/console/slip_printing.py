"""Slips on ESC/POS printers in the hospital's network: the desk's key, and the page where an administrator names them.

The worker connects to an address that an administrator typed, so the address is checked as those of webhooks are:
printers have private addresses, and ``KIOSK_PRIVATE_TARGETS`` allows them. A printer that fails costs one sentence. The
ticket exists before, and the browser prints the same slip.
"""

from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Meta, Struct

from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, slip_messages, templating
from kiosk.console.forms import NotFilledIn
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import facility_of, ticket_of
from kiosk.console.walk_in import Slip, Slips
from kiosk.exchange.addresses import AddressRefused, Resolver
from kiosk.exchange.target_setup import TargetWrong, parse_host_port
from kiosk.posters.slip import SlipText
from kiosk.posters.slip_drawing import SlipJob
from kiosk.posters.slip_printer import NotPrinted, SlipPrinting
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form, read_json
from kiosk.web.security_headers import PAGE
from queueing.desk import OpdDesk
from queueing.display_text import display_text
from queueing.registry import Registry
from queueing.slip_printers import (
    PRINTER_ADDRESS_MAX,
    PRINTER_NAME_MAX,
    PRINTERS_MAX,
    SlipPrinter,
    SlipPrinters,
)

PATH: Final = "/console/admin/printers"
PORT: Final = ":9100"
"""Where printers listen, if no port is typed."""


class PrintRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ticket's slip, as the clerk chose it at this desk."""

    ticket: Annotated[str, Meta(max_length=64)]
    printer: Annotated[str, Meta(max_length=PRINTER_NAME_MAX)]
    language: Annotated[str, Meta(max_length=8)] = ""
    """Of the patient; empty: English alone."""
    large: bool = False


class Printed(Struct, frozen=True, kw_only=True):
    printed: bool
    words: str
    """For the clerk."""


_PRINT_REQUEST = msgspec.json.Decoder(PrintRequest)


class SlipsOnPrinters(Controller):
    path = "/console/slip"

    @post("/print", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def print(
        self, request: ConsoleRequest, session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        slips: NamedDependency[Slips], slip_printers: NamedDependency[SlipPrinters],
        slip_printing: NamedDependency[SlipPrinting], addresses: NamedDependency[Resolver],
    ) -> Response[Printed]:  # fmt: skip
        """Print a number on a printer of this facility. It waits some seconds at most and changes nothing."""
        form = await read_json(request, _PRINT_REQUEST)
        ticket = await ticket_of(session, desk, form.ticket)
        printer = next((one for one in await slip_printers.of(session.facility) if one.name == form.printer), None)
        slip = await slips.of_ticket(session.facility, ticket)
        fault = tr(slip_messages.FAULTS["unknown"]).format(printer=form.printer)
        if printer is not None:
            text = text_of(slip, form.language)
            fault = await _print(printer, text, slip_printing, addresses, large=form.large)
        here = f"{fault} {tr(slip_messages.HERE)}" if fault else ""
        sentence = here or tr(slip_messages.SENT).format(token=ticket.token, printer=form.printer)
        return Response(Printed(printed=not fault, words=sentence), headers=PAGE)


class PrintersPage(Controller):
    path = PATH

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry],
        slip_printers: NamedDependency[SlipPrinters], settings: NamedDependency[Settings], done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        message = tr(slip_messages.PRINTERS[done]) if done in ("saved", "removed") else ""
        return await _Page(session, registry, slip_printers, settings).answer(message=message)

    @post("/{act:str}", guards=[guards.administrator], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry], slip_printers: NamedDependency[SlipPrinters],
        settings: NamedDependency[Settings], slip_printing: NamedDependency[SlipPrinting],
        addresses: NamedDependency[Resolver],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Save or remove a printer, or print a sample on it."""
        form, page = await read_form(request), _Page(session, registry, slip_printers, settings)
        before = await slip_printers.of(session.facility)
        known = next((one for one in before if one.name == form.get("name")), None)
        if act not in ("save", "remove", "sample") or (act != "save" and known is None):
            raise NotFoundException
        if act == "sample" and known is not None:
            facility = await registry.facility(session.facility)
            text = sample(facility.name if facility else "", settings.public_url)
            fault = await _print(known, text, slip_printing, addresses)
            sent = tr(slip_messages.PRINTERS["sample"]).format(printer=known.name)
            return await page.answer(message="" if fault else sent, trouble=fault, status=502 if fault else 200)
        try:
            now = _saved(form, before) if act == "save" else tuple(one for one in before if one != known)
        except NotFilledIn as wrong:
            return await page.answer(trouble=str(wrong), status=422, typed=form, field=wrong.field)
        name = display_text(form["name"], PRINTER_NAME_MAX)
        changed = guards.actor_of(request, session).act("admin_printer", name)
        await slip_printers.put(session.facility, now, changed)
        return templating.go(f"{PATH}?done={'saved' if act == 'save' else 'removed'}")


class _Page:
    """The whole page, for one request."""

    def __init__(
        self, session: Session, registry: Registry, printers: SlipPrinters, settings: Settings
    ) -> None:  # fmt: skip
        self._session, self._registry, self._printers, self._settings = session, registry, printers, settings

    async def answer(
        self, *, message: str = "", trouble: str = "", status: int = 200, typed: dict[str, str] | None = None,
        field: str = "",
    ) -> Response[str]:  # fmt: skip
        """``typed``: the refused form, so that nothing is lost; ``field``: what is wrong in it."""
        facility = await facility_of(self._session, self._registry)
        return templating.page(
            "printers.html", session=self._session, status=status, facility=facility, message=message,
            trouble=trouble, typed=typed or {}, field=field, most=PRINTERS_MAX,
            printers=await self._printers.of(self._session.facility), private_allowed=self._settings.private_targets,
        )  # fmt: skip


def text_of(slip: Slip, language: str) -> SlipText:
    """The slip's lines; the patient's language stands first where it is known."""
    local = slip.local.get(language)
    before = messages.SCREEN["slip_ahead"].format(count=slip.ahead) if slip.ahead else ""
    text = SlipText(
        token=slip.token, link=slip.link, facility=slip.facility, queue=slip.queue, before=before, lane=slip.lane,
        hint=slip_messages.SCAN, at=slip.at,
    )  # fmt: skip
    if local is None:
        return text
    return msgspec.structs.replace(
        text, local_facility=slip.facility_names.get(language, ""),
        local_queue=slip.queue_names.get(language, ""), local_title=local["title"], local_hint=local["hint"],
        local_ahead=f"{local['ahead']}: {slip.ahead}" if slip.ahead else "",
    )  # fmt: skip


def sample(facility: str, public_url: str) -> SlipText:
    """What a printer is tried with: a number of nobody, a line of each script, and a code as dense as a ticket's."""
    local = slip_messages.local_lines()
    return SlipText(
        token="T-000",  # noqa: S106  (a queue number, no password)
        link=f"{public_url}/?{'sample' * 50}", facility=facility,
        before=" ".join(local[code]["title"] for code in ("hi", "pa")), local_ahead=local["ur"]["hint"],
        hint=slip_messages.SCAN,
    )  # fmt: skip


async def _print(
    printer: SlipPrinter, text: SlipText, printing: SlipPrinting, addresses: Resolver, *, large: bool = False
) -> str:  # fmt: skip
    """Why it was not printed, for the clerk; empty when it was."""
    try:
        place = parse_host_port(printer.address, tls=False)
        job = SlipJob(slip=text, paper=80 if printer.wide else 58, large=large)
        await printing.print(addresses.address_of(place), place.port, job)
    except (AddressRefused, TargetWrong) as refused:
        return tr(slip_messages.FAULTS["address"]).format(printer=printer.name, fault=refused)
    except NotPrinted as failed:
        return tr(slip_messages.FAULTS[failed.fault]).format(printer=printer.name)
    return ""


def _saved(form: dict[str, str], before: tuple[SlipPrinter, ...]) -> tuple[SlipPrinter, ...]:
    """The printers with the typed one, which replaces one of its name. Raises NotFilledIn."""
    name = display_text(form.get("name", ""), PRINTER_NAME_MAX)
    address = form.get("address", "").strip()[: PRINTER_ADDRESS_MAX + 1]
    if not name:
        raise NotFilledIn(slip_messages.PRINTERS["name"], "name")
    address = address if ":" in address else address + PORT
    try:
        parse_host_port(address, tls=False)
    except TargetWrong as wrong:
        raise NotFilledIn(tr(slip_messages.PRINTERS["address"]).format(fault=wrong), "address") from None
    typed = SlipPrinter(name=name, address=address, wide=form.get("paper") != "58")
    if name in (one.name for one in before):
        return tuple(typed if one.name == name else one for one in before)
    if len(before) >= PRINTERS_MAX:
        raise NotFilledIn(slip_messages.PRINTERS["full"], "name")
    return (*before, typed)
