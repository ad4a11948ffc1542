"""The console's routes, with their dependencies and error answers."""

from litestar import Router
from litestar.di import NamedDependency, Provide
from litestar.types import ControllerRouterHandler

from kiosk.accounts.service import Staff
from kiosk.archive.database import Database
from kiosk.checkin import CheckIn
from kiosk.console import error_pages, guards
from kiosk.console.account import Account
from kiosk.console.admin import Admin
from kiosk.console.admin_rooms import AdminRooms
from kiosk.console.announcements_page import AnnouncementsPage
from kiosk.console.api_keys_page import ApiKeysPage
from kiosk.console.audit_page import AuditPage
from kiosk.console.colleagues import Colleagues
from kiosk.console.connection import Connection
from kiosk.console.connections import Connections
from kiosk.console.copying import Copying
from kiosk.console.corrections_page import CorrectionsPage
from kiosk.console.desk import Desk
from kiosk.console.desk_view import DeskViews
from kiosk.console.erasure import Erasure
from kiosk.console.facility_copy_page import FacilityCopyPage
from kiosk.console.hours_page import HoursPage
from kiosk.console.login import Login
from kiosk.console.notes import NoteSeal
from kiosk.console.perhaps_same import LookAlikes
from kiosk.console.poster_check import PosterCheck
from kiosk.console.queue_page import QueuePage
from kiosk.console.review import Review, Reviews
from kiosk.console.scan import Scans
from kiosk.console.screens import ScreensPage
from kiosk.console.slip_printing import PrintersPage, SlipsOnPrinters
from kiosk.console.today import Today, Views
from kiosk.console.voice_page import VoicePage
from kiosk.console.walk_in import Slips, WalkIns
from kiosk.exchange.hospital_numbers import NumberSeal
from kiosk.security.encryption import Seal
from kiosk.settings import Settings
from queueing.audit import Audit
from queueing.desk import OpdDesk
from queueing.desks import Desks
from queueing.last_changes import LastChanges
from queueing.outbox import Outbox
from queueing.registry import Registry
from tokens.ticket import TicketLinks


def routes() -> list[ControllerRouterHandler]:
    """All routes of the console, for the root of the application."""
    return [
        Router(
            path="/",
            route_handlers=[
                Login,
                FacilityCopyPage,
                Desk,
                Colleagues,
                Copying,
                WalkIns,
                Scans,
                Account,
                Admin,
                QueuePage,
                PosterCheck,
                HoursPage,
                ScreensPage,
                SlipsOnPrinters,
                PrintersPage,
                VoicePage,
                CorrectionsPage,
                AnnouncementsPage,
                Connection,
                Connections,
                ApiKeysPage,
                AuditPage,
                Erasure,
                Today,
                Review,
            ],
            dependencies={
                "session": Provide(guards.proved_session),
                "reader": Provide(guards.reader_of),
                "admin_rooms": Provide(_admin_rooms, sync_to_thread=False),
                "desk_views": Provide(_desk_views, sync_to_thread=False),
                "look_alikes": Provide(_look_alikes, sync_to_thread=False),
                "slips": Provide(_slips, sync_to_thread=False),
                "today_views": Provide(_today_views, sync_to_thread=False),
                "reviews": Provide(_reviews, sync_to_thread=False),
            },
            exception_handlers=error_pages.HANDLERS,
        )
    ]


def _admin_rooms(
    registry: NamedDependency[Registry],
    desk: NamedDependency[OpdDesk],
    staff: NamedDependency[Staff],
    outbox: NamedDependency[Outbox],
    settings: NamedDependency[Settings],
    last_changes: NamedDependency[LastChanges],
) -> AdminRooms:
    return AdminRooms(registry, desk, staff, outbox, settings, last_changes)


def _desk_views(
    registry: NamedDependency[Registry],
    desk: NamedDependency[OpdDesk],
    audit: NamedDependency[Audit],
    check_in: NamedDependency[CheckIn],
    number_seal: NamedDependency[NumberSeal],
    desks: NamedDependency[Desks],
    seal: NamedDependency[Seal],
) -> DeskViews:
    return DeskViews(registry, desk, audit, check_in, number_seal, desks, NoteSeal(seal))


def _look_alikes(
    desk: NamedDependency[OpdDesk], check_in: NamedDependency[CheckIn], desk_views: NamedDependency[DeskViews]
) -> LookAlikes:
    return LookAlikes(desk, check_in, desk_views)


def _slips(
    registry: NamedDependency[Registry],
    desk: NamedDependency[OpdDesk],
    ticket_links: NamedDependency[TicketLinks],
    settings: NamedDependency[Settings],
) -> Slips:
    return Slips(registry, desk, ticket_links, settings)


def _today_views(
    registry: NamedDependency[Registry],
    desk: NamedDependency[OpdDesk],
    outbox: NamedDependency[Outbox],
    archive: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Views:
    return Views(registry, desk, outbox, archive, settings)


def _reviews(archive: NamedDependency[Database], settings: NamedDependency[Settings]) -> Reviews:
    return Reviews(archive, settings)
