"""Who may call which route: the decision for every route and every kind of caller. ``test_route_access`` tries each.

A new route needs a line in ``ROUTES``. Choose the decision that says what each caller must get, or write a new one: a
decision names every caller of ``CALLERS``. A sample is what a page of ours would send. In it ``{ticket}``, ``{token}``,
``{login}`` … stand for things of *this* facility, so a caller of another facility must not reach them.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Result(StrEnum):
    """What a caller gets."""

    IN = "in"
    """The route does its work for this caller, in the caller's own facility."""
    UNPROVED = "unproved"
    """401, or the page for signing in."""
    REFUSED = "refused"
    """403: this caller is known and may not."""
    NOTHING = "nothing"
    """404: for this caller the thing, or the route, does not exist."""
    CHOOSE = "choose a facility first"


IN, UNPROVED, REFUSED, NOTHING, CHOOSE = Result


class Decision(Struct, frozen=True, kw_only=True):
    """What each caller gets. ``clerk`` and ``admin`` work in this facility, ``other_…`` in another one."""

    stranger: Result
    """Anybody, a patient's phone too."""
    screen: Result
    """A screen of this facility."""
    operator: Result
    """Somebody on this machine."""
    clerk: Result
    other_clerk: Result
    admin: Result
    other_admin: Result
    state: Result
    """A state administrator who chose this facility."""
    state_elsewhere: Result
    """A state administrator who chose the other facility."""
    state_nowhere: Result
    """A state administrator who chose none yet."""


CALLERS: Final = Decision.__struct_fields__

PUBLIC: Final = Decision(
    stranger=IN, screen=IN, operator=IN, clerk=IN, other_clerk=IN, admin=IN, other_admin=IN, state=IN,
    state_elsewhere=IN, state_nowhere=IN,
)  # fmt: skip
"""It shows no person and changes nothing of staff; or it proves its caller by a link."""
OPERATORS: Final = Decision(
    stranger=NOTHING, screen=NOTHING, operator=IN, clerk=NOTHING, other_clerk=NOTHING, admin=NOTHING,
    other_admin=NOTHING, state=NOTHING, state_elsewhere=NOTHING, state_nowhere=NOTHING,
)  # fmt: skip
"""Callers on this machine and of ``KIOSK_OPS_ADDRESSES``; staff is not enough."""
NOBODY: Final = Decision(
    stranger=NOTHING, screen=NOTHING, operator=NOTHING, clerk=NOTHING, other_clerk=NOTHING, admin=NOTHING,
    other_admin=NOTHING, state=NOTHING, state_elsewhere=NOTHING, state_nowhere=NOTHING,
)  # fmt: skip
WITH_A_FRESH_CODE: Final = Decision(
    stranger=REFUSED, screen=REFUSED, operator=REFUSED, clerk=REFUSED, other_clerk=REFUSED, admin=REFUSED,
    other_admin=REFUSED, state=REFUSED, state_elsewhere=REFUSED, state_nowhere=REFUSED,
)  # fmt: skip
"""Whoever sends the code that a screen shows now; the sample has the poster's."""
NOBODY_OF_STAFF: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=NOTHING, other_clerk=NOTHING, admin=NOTHING,
    other_admin=NOTHING, state=NOTHING, state_elsewhere=NOTHING, state_nowhere=NOTHING,
)  # fmt: skip
"""The sample names a thing of somebody else."""
GATEWAY: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=UNPROVED, other_clerk=UNPROVED, admin=UNPROVED,
    other_admin=UNPROVED, state=UNPROVED, state_elsewhere=UNPROVED, state_nowhere=UNPROVED,
)  # fmt: skip
"""The gateway's token alone opens it."""
API: Final = GATEWAY
"""An API key alone opens it, and none of these callers has one; ``tests/kiosk/api`` tries keys."""
ANY_SESSION: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=IN, other_clerk=IN, admin=IN, other_admin=IN,
    state=IN, state_elsewhere=IN, state_nowhere=IN,
)  # fmt: skip
"""It concerns the caller's own login alone."""
STAFF: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=IN, other_clerk=IN, admin=IN, other_admin=IN,
    state=IN, state_elsewhere=IN, state_nowhere=CHOOSE,
)  # fmt: skip
"""Each works in the own facility."""
STAFF_OF_THIS: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=IN, other_clerk=NOTHING, admin=IN,
    other_admin=NOTHING, state=IN, state_elsewhere=NOTHING, state_nowhere=CHOOSE,
)  # fmt: skip
"""The sample names a thing of this facility."""
ADMINS: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=REFUSED, other_clerk=REFUSED, admin=IN,
    other_admin=IN, state=IN, state_elsewhere=IN, state_nowhere=CHOOSE,
)  # fmt: skip
ADMINS_OF_THIS: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=REFUSED, other_clerk=REFUSED, admin=IN,
    other_admin=NOTHING, state=IN, state_elsewhere=NOTHING, state_nowhere=CHOOSE,
)  # fmt: skip
ADMIN_LOGINS: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=REFUSED, other_clerk=REFUSED, admin=IN,
    other_admin=IN, state=IN, state_elsewhere=IN, state_nowhere=IN,
)  # fmt: skip
"""It concerns the caller's own login, and clerks have no such thing."""
FACILITY_ADMIN_LOGINS: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=REFUSED, other_clerk=REFUSED, admin=IN,
    other_admin=IN, state=REFUSED, state_elsewhere=REFUSED, state_nowhere=REFUSED,
)  # fmt: skip
"""A state administrator must keep the authenticator app."""
OVERSEERS_OF_THIS: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=REFUSED, other_clerk=REFUSED, admin=IN,
    other_admin=NOTHING, state=IN, state_elsewhere=IN, state_nowhere=IN,
)  # fmt: skip
"""The sample names this facility in its address: state administrators see any facility there."""
STATE: Final = Decision(
    stranger=UNPROVED, screen=UNPROVED, operator=UNPROVED, clerk=REFUSED, other_clerk=REFUSED, admin=REFUSED,
    other_admin=REFUSED, state=IN, state_elsewhere=IN, state_nowhere=IN,
)  # fmt: skip


class Try(Struct, frozen=True, kw_only=True):
    """One request of a route, and who gets what."""

    decision: Decision
    path: str = ""
    """The address, when the route's own has parameters."""
    form: dict[str, str] | None = None
    json: dict[str, str] | None = None


def _admin(act: str, decision: Decision, **form: str) -> Try:
    return Try(decision=decision, path=f"/console/admin/{act}", form=form)


_POLICY: Final = {"far": "EXPECT", "stale": "EXPECT", "unknown": "EXPECT", "poster": "TAKE", "near_m": "300"}
_SCREEN: Final = {"name": "Hall", "kind": "board", "volume": "80"}
_SUBSCRIPTION: Final = {"endpoint": "https://push.example/x", "p256dh": "BA", "auth": "AA", "key": "BA"}
_GATEWAY: Final = (Try(decision=GATEWAY, json={}),)

ROUTES: Final[dict[tuple[str, str], tuple[Try, ...]]] = {
    # Pages and pictures for everybody.
    ("GET", "/"): (Try(decision=PUBLIC),),
    ("GET", "/.well-known/jwks.json"): (Try(decision=PUBLIC),),
    ("GET", "/.well-known/security.txt"): (Try(decision=PUBLIC),),
    ("GET", "/tls"): (Try(decision=PUBLIC),),
    ("GET", "/tls/ca.crt"): (Try(decision=PUBLIC),),
    ("GET", "/static/{path:path}"): (Try(decision=PUBLIC, path="/static/console/icon.svg"),),
    ("GET", "/board/{hip_id:str}"): (Try(decision=PUBLIC, path="/board/{hip}"),),
    ("GET", "/board/{hip_id:str}/voice/{language:str}"): (
        Try(decision=PUBLIC, path="/board/{hip}/voice/en?token=M-001&counter=M1"),
    ),
    ("GET", "/kiosk/{hip_id:str}/{counter:str}"): (Try(decision=PUBLIC, path="/kiosk/{hip}/M1"),),
    ("GET", "/kiosk/{hip_id:str}/{counter:str}/qr"): (Try(decision=PUBLIC, path="/kiosk/{hip}/M1/qr"),),
    ("GET", "/kiosk/{hip_id:str}/{counter:str}/{name:str}"): (Try(decision=PUBLIC, path="{picture}"),),
    ("GET", "/kiosk/{hip_id:str}/{counter:str}/poster.png"): (Try(decision=PUBLIC, path="/kiosk/{hip}/M1/poster.png"),),
    ("GET", "/screen"): (Try(decision=PUBLIC),),
    ("POST", "/screen/state"): (Try(decision=PUBLIC, json={"release": "0.1.0"}),),
    ("MOUNT", "/live"): (Try(decision=PUBLIC, path="/live/{hip}"), Try(decision=PUBLIC, path="/live/{hip}/now")),
    # Pages of a patient: the link is the proof.
    ("GET", "/t/{link:str}"): (Try(decision=PUBLIC, path="/t/{ticket_link}"),),
    ("GET", "/t/{link:str}/now"): (Try(decision=PUBLIC, path="/t/{ticket_link}/now"),),
    ("GET", "/t/{link:str}/qr.svg"): (Try(decision=PUBLIC, path="/t/{ticket_link}/qr.svg"),),
    ("POST", "/t/{link:str}/cancel"): (Try(decision=PUBLIC, path="/t/{ticket_link}/cancel", form={}),),
    ("POST", "/t/{link:str}/push"): (Try(decision=PUBLIC, path="/t/{ticket_link}/push", json=_SUBSCRIPTION),),
    ("POST", "/t/{link:str}/push/end"): (Try(decision=PUBLIC, path="/t/{ticket_link}/push/end", json=_SUBSCRIPTION),),
    ("GET", "/t/{link:str}/app.webmanifest"): (Try(decision=PUBLIC, path="/t/{ticket_link}/app.webmanifest"),),
    ("GET", "/t/worker.js"): (Try(decision=PUBLIC),),
    ("GET", "/find/{hip_id:str}"): (Try(decision=PUBLIC, path="/find/{hip}"),),
    ("POST", "/find/{hip_id:str}"): (Try(decision=PUBLIC, path="/find/{hip}", form={"number": "M-001"}),),
    ("POST", "/find/{hip_id:str}/arrived"): (
        Try(
            decision=WITH_A_FRESH_CODE,
            path="/find/{hip}/arrived",
            form={"code": "M1", "number": "M-001"},
        ),
    ),
    ("GET", "/find/{hip_id:str}/qr.svg"): (Try(decision=PUBLIC, path="/find/{hip}/qr.svg"),),
    ("GET", "/go/{link:str}"): (Try(decision=PUBLIC, path="/go/{camera_link}"),),
    ("POST", "/go/{link:str}"): (Try(decision=PUBLIC, path="/go/{camera_link}", form={"name": ""}),),
    # The gateway.
    ("MOUNT", "/api/v3/hip/patient/share"): _GATEWAY,
    ("MOUNT", "/api/v3/hip/patient/running-token/status"): _GATEWAY,
    ("MOUNT", "/patient-share/v3/share"): _GATEWAY,
    ("MOUNT", "/v3/hip/patient/share"): _GATEWAY,
    ("MOUNT", "/v3/hip/patient/share/profile"): _GATEWAY,
    ("MOUNT", "/v3/hip/patient/profile/share"): _GATEWAY,
    ("MOUNT", "/v1.0/patients/profile/share"): _GATEWAY,
    ("MOUNT", "/v0.5/patients/profile/share"): _GATEWAY,
    # The API of other programs.
    ("GET", "/api/v1/facilities/{hip_id:str}/queues"): (Try(decision=API, path="/api/v1/facilities/{hip}/queues"),),
    ("GET", "/api/v1/facilities/{hip_id:str}/tickets"): (Try(decision=API, path="/api/v1/facilities/{hip}/tickets"),),
    ("POST", "/api/v1/facilities/{hip_id:str}/tickets"): (
        Try(decision=API, path="/api/v1/facilities/{hip}/tickets", json={"queue": "medicine"}),
    ),
    ("GET", "/api/v1/facilities/{hip_id:str}/tickets/{ticket:str}"): (
        Try(decision=API, path="/api/v1/facilities/{hip}/tickets/{ticket}"),
    ),
    ("GET", "/api/v1/facilities/{hip_id:str}/tickets/{ticket:str}/profile"): (
        Try(decision=API, path="/api/v1/facilities/{hip}/tickets/{ticket}/profile"),
    ),
    ("PUT", "/api/v1/facilities/{hip_id:str}/tickets/{ticket:str}/links"): (
        Try(decision=API, path="/api/v1/facilities/{hip}/tickets/{ticket}/links", json={"patient_id": "7"}),
    ),
    ("POST", "/api/v1/facilities/{hip_id:str}/tickets/{ticket:str}/moves"): (
        Try(decision=API, path="/api/v1/facilities/{hip}/tickets/{ticket}/moves", json={"move": "cancel"}),
    ),
    ("POST", "/api/v1/facilities/{hip_id:str}/counters/{counter:str}/next"): (
        Try(decision=API, path="/api/v1/facilities/{hip}/counters/M1/next", json={}),
    ),
    ("GET", "/api/v1/facilities/{hip_id:str}/events"): (Try(decision=API, path="/api/v1/facilities/{hip}/events"),),
    # Operators.
    ("GET", "/healthz"): (Try(decision=PUBLIC),),
    ("GET", "/readyz"): (Try(decision=PUBLIC),),
    ("GET", "/metrics"): (Try(decision=OPERATORS),),
    ("GET", "/schema"): (Try(decision=PUBLIC),),
    ("GET", "/schema/openapi.json"): (Try(decision=PUBLIC),),
    # Signing in, and one's own login.
    ("GET", "/console/login"): (Try(decision=PUBLIC),),
    ("POST", "/console/login"): (Try(decision=PUBLIC, form={"login": "somebody", "password": ""}),),
    ("POST", "/console/logout"): (Try(decision=ANY_SESSION, form={}),),
    ("POST", "/console/logout-everywhere"): (Try(decision=ANY_SESSION, form={}),),
    ("GET", "/console/password"): (Try(decision=ANY_SESSION),),
    ("POST", "/console/password"): (Try(decision=ANY_SESSION, form={"old": "", "new": "", "again": ""}),),
    ("GET", "/console/facility"): (Try(decision=ANY_SESSION),),
    ("POST", "/console/facility"): (Try(decision=STATE, form={"hip": "{hip}"}),),
    ("GET", "/console/facility/copy"): (
        Try(decision=STATE, path="/console/facility/copy?template={hip}&to=IN0110000999"),
    ),
    ("POST", "/console/facility/copy"): (Try(decision=STATE, form={"template": "{hip}", "to": "IN0110000999"}),),
    ("GET", "/console/code"): (Try(decision=ANY_SESSION),),
    ("POST", "/console/code"): (Try(decision=ANY_SESSION, form={"code": ""}),),
    ("GET", "/console/account"): (Try(decision=ANY_SESSION),),
    ("POST", "/console/account/language"): (Try(decision=ANY_SESSION, form={"language": "en"}),),
    ("POST", "/console/account/end"): (
        Try(decision=ANY_SESSION, form={"session": "{own_session}"}),
        Try(decision=NOBODY_OF_STAFF, form={"session": "{foreign_session}"}),
    ),
    ("POST", "/console/account/end-others"): (Try(decision=ANY_SESSION, form={}),),
    ("GET", "/console/account/phone"): (Try(decision=ADMIN_LOGINS),),
    ("POST", "/console/account/phone"): (Try(decision=ADMIN_LOGINS, form={"code": ""}),),
    ("POST", "/console/account/phone/remove"): (Try(decision=FACILITY_ADMIN_LOGINS, form={"password": ""}),),
    # The desk.
    ("GET", "/console"): (Try(decision=STAFF),),
    ("GET", "/console/counters"): (Try(decision=STAFF),),
    ("GET", "/console/at/{counter:str}"): (Try(decision=STAFF, path="/console/at/M1"),),
    ("GET", "/console/desk"): (Try(decision=STAFF, path="/console/desk?counter=M1"),),
    ("GET", "/console/desk/ended"): (Try(decision=STAFF, path="/console/desk/ended?counter=M1"),),
    ("POST", "/console/desk/patient"): (Try(decision=STAFF_OF_THIS, json={"counter": "M1", "ticket": "{ticket}"}),),
    ("POST", "/console/desk/copy"): (
        Try(decision=STAFF_OF_THIS, json={"ticket": "{ticket}", "template": "e-Hospital"}),
    ),
    ("POST", "/console/desk/break"): (Try(decision=STAFF, json={"counter": "M1", "at": "no time"}),),
    ("POST", "/console/desk/note"): (
        Try(decision=STAFF_OF_THIS, json={"ticket": "{ticket}", "note": "Files at window 2"}),
    ),
    ("POST", "/console/desk/{move:str}"): tuple(
        Try(decision=STAFF_OF_THIS, path=f"/console/desk/{move}", json={"counter": "M1", "ticket": "{ticket}"})
        for move in ("call", "hold", "check-in", "cancel")
    ),
    ("POST", "/console/scan"): (Try(decision=STAFF, json={"text": "https://elsewhere.example"}),),
    ("GET", "/console/posters"): (Try(decision=STAFF),),
    ("POST", "/console/posters"): (
        Try(decision=STAFF, form={"at": "counter:M1", "text": "https://elsewhere.example"}),
    ),
    ("POST", "/console/walk-in"): (Try(decision=STAFF, json={"queue": "medicine", "name": "Zoona Begum"}),),
    ("POST", "/console/walk-in/read"): (Try(decision=STAFF, json={"text": "no card"}),),
    ("POST", "/console/slip"): (Try(decision=STAFF_OF_THIS, json={"ticket": "{ticket}"}),),
    ("POST", "/console/slip/print"): (
        Try(decision=STAFF_OF_THIS, json={"ticket": "{ticket}", "printer": "Registration"}),
    ),
    # Administration.
    ("GET", "/console/admin"): (Try(decision=ADMINS),),
    ("GET", "/console/admin/rooms/{room:str}"): tuple(
        Try(decision=ADMINS, path=f"/console/admin/rooms/{room}")
        for room in ("queues", "staff", "rules", "facility", "posters")
    ),
    ("GET", "/console/admin/poster/{counter:str}"): (Try(decision=ADMINS, path="/console/admin/poster/M1"),),
    ("POST", "/console/admin/{act:str}"): (
        _admin("queue", ADMINS, id="medicine", name="Medicine", prefix="M"),
        _admin("queue-open", ADMINS, id="medicine", open="1"),
        _admin("default", ADMINS, id="registration"),
        _admin("counter", ADMINS, name="M1", queues="medicine"),
        _admin("counter-open", ADMINS, name="M1", open="1"),
        _admin("policy", ADMINS, **_POLICY),
        _admin("text", ADMINS, text="OLD POSTER", counter="M1"),
        _admin("facility", ADMINS, name="Renamed"),
        _admin("staff", ADMINS, login="", role="clerk"),
        _admin("disable", ADMINS_OF_THIS, login="{login}", disabled="1"),
        _admin("reset", ADMINS_OF_THIS, login="{login}"),
        _admin("sign-out", ADMINS_OF_THIS, login="{login}"),
        _admin("resend", ADMINS, id="1-1"),
        _admin("take-back", ADMINS, kind="policy", mark="none"),
        _admin("remove-queue", ADMINS, id="medicine"),
        _admin("remove-staff", ADMINS_OF_THIS, login="{login}"),
    ),
    ("GET", "/console/admin/queues/{queue:str}"): (Try(decision=ADMINS, path="/console/admin/queues/medicine"),),
    ("POST", "/console/admin/queues/{queue:str}"): (_admin("queues/medicine", ADMINS, hi="मेडिसिन"),),
    ("GET", "/console/admin/hours"): (Try(decision=ADMINS),),
    ("POST", "/console/admin/hours/{act:str}"): (
        _admin("hours/queue", ADMINS, queue="medicine", hours=""),  # any hour: a closed queue has no ticket to try
        _admin("hours/holiday", ADMINS, date="2020-12-25", name="Christmas"),
        _admin("hours/holidays", ADMINS, holidays="2020-12-25 Christmas"),
    ),
    ("GET", "/console/admin/screens"): (Try(decision=ADMINS),),
    ("POST", "/console/admin/screens/pair"): (_admin("screens/pair", ADMINS, code="{code}", **_SCREEN),),
    ("POST", "/console/admin/screens/networks"): (_admin("screens/networks", ADMINS, networks="10.20.0.0/16"),),
    ("POST", "/console/admin/screens/{screen:str}/{act:str}"): (
        _admin("screens/{screen}/change", ADMINS_OF_THIS, **_SCREEN),
        _admin("screens/{screen}/remove", ADMINS_OF_THIS),
    ),
    ("GET", "/console/connections"): (Try(decision=ADMINS),),
    ("GET", "/console/connections/keys"): (Try(decision=ADMINS),),
    ("POST", "/console/connections/keys"): (
        Try(decision=ADMINS, path="/console/connections/keys", form={"name": "HIS", "tickets:read": "1"}),
    ),
    ("POST", "/console/connections/keys/{key_id:str}/revoke"): (
        Try(decision=ADMINS_OF_THIS, path="/console/connections/keys/{api_key}/revoke", form={}),
    ),
    ("POST", "/console/connections/webhook"): (
        Try(decision=ADMINS, path="/console/connections/webhook", form={"url": "https://hmis.example/events"}),
    ),
    ("POST", "/console/connections/hl7"): (
        Try(decision=ADMINS, path="/console/connections/hl7", form={"address": "hl7.example:2575", "tls": "1"}),
    ),
    ("POST", "/console/connections/{target:str}/{act:str}"): tuple(
        Try(decision=ADMINS_OF_THIS, path=f"/console/connections/{{target}}/{act}", form={"event": ""})
        for act in ("on", "off", "profiles-on", "profiles-off", "remove")
    ),
    ("GET", "/console/admin/posters"): (
        Try(decision=ADMINS),
        Try(decision=ADMINS, path="/console/admin/posters?of=queues"),
    ),
    ("GET", "/console/announcements"): (Try(decision=STAFF),),
    ("POST", "/console/announcements/hours"): (
        Try(decision=ADMINS, path="/console/announcements/hours", form={"quiet_from": "13:00", "quiet_to": "14:00"}),
    ),
    ("POST", "/console/announcements/{act:str}"): (
        Try(decision=STAFF, path="/console/announcements/announce", form={"text": "Doctor delayed"}),
        Try(decision=STAFF_OF_THIS, path="/console/announcements/end", form={"id": "{announcement}"}),
    ),
    ("GET", "/board/{hip_id:str}/announcement/{identifier:str}"): (
        Try(decision=PUBLIC, path="/board/{hip}/announcement/{announcement}"),
    ),
    ("GET", "/console/words"): (Try(decision=ADMINS),),
    ("GET", "/console/words/{language:str}/export"): (Try(decision=ADMINS, path="/console/words/ks/export"),),
    ("POST", "/console/words/{act:str}"): (
        Try(
            decision=ADMINS,
            path="/console/words/correct",
            form={"language": "ks", "key": "board.closed", "form0": "بَنٛد چھُ"},
        ),
        Try(
            decision=ADMINS_OF_THIS,
            path="/console/words/take-back",
            form={"language": "hi", "key": "{corrected}"},
        ),
    ),
    ("GET", "/console/voice"): (Try(decision=ADMINS),),
    ("GET", "/console/voice/{language:str}/{part:str}"): (
        Try(decision=ADMINS_OF_THIS, path="/console/voice/en/{clip}"),
    ),
    ("POST", "/console/voice/save"): (
        Try(decision=ADMINS, json={"language": "en", "part": "n1", "sound": "UklGRg=="}),
    ),
    ("POST", "/console/voice/remove"): (Try(decision=ADMINS, json={"language": "en", "part": "n1"}),),
    ("GET", "/console/admin/copying"): (Try(decision=ADMINS),),
    ("POST", "/console/admin/copying/{act:str}"): (
        _admin("copying/save", ADMINS, before="", name="Form", fields="name, phone"),
        _admin("copying/remove", ADMINS, before="Form"),
        _admin("copying/reset", ADMINS),
    ),
    ("GET", "/console/admin/printers"): (Try(decision=ADMINS),),
    ("POST", "/console/admin/printers/{act:str}"): (
        _admin("printers/save", ADMINS, name="Registration", address="10.20.0.30", paper="58"),
    ),
    ("GET", "/console/connection"): (Try(decision=ADMINS),),
    ("GET", "/console/audit"): (Try(decision=ADMINS),),
    ("GET", "/console/today"): (
        Try(decision=ADMINS),
        Try(decision=OVERSEERS_OF_THIS, path="/console/today?hip={hip}"),
    ),
    ("GET", "/console/today/csv/{name:str}"): (
        Try(decision=OVERSEERS_OF_THIS, path="/console/today/csv/arrivals?hip={hip}&from=2020-01-02&to=2020-01-01"),
    ),
    ("GET", "/console/review"): (Try(decision=STATE), Try(decision=STATE, path="/console/review?hip={hip}")),
    ("GET", "/console/review/csv/{name:str}"): (Try(decision=STATE, path="/console/review/csv/trend?month=2020"),),
    ("GET", "/console/review/lines"): (Try(decision=STATE, path="/console/review/lines?hip={hip}&month=2020"),),
    ("POST", "/console/erasure"): (Try(decision=ADMINS_OF_THIS, form={"person": "{token}"}),),
    ("POST", "/console/erasure/numbers"): (Try(decision=ADMINS_OF_THIS, form={"ticket": "{ticket}"}),),
    ("POST", "/console/erasure/confirmed"): (Try(decision=ADMINS_OF_THIS, form={"ticket": "{ticket}"}),),
}
"""Method (``MOUNT``: an endpoint that looks at the method itself) and path, as the application registers them."""
