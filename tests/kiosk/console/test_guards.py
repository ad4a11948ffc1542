"""Every endpoint of the console refuses the wrong person, the wrong page and the wrong hospital."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from kiosk.console import guards
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive, browser, ready_login

pytestmark = pytest.mark.anyio
OPEN_TO_ALL = {"/console/login"}
GUARDS = (
    guards.visitor,
    guards.half_signed_in,
    guards.signed_in,
    guards.enrolling,
    guards.member,
    guards.clerk,
    guards.administrator,
    guards.state_administrator,
    guards.any_administrator,
)
SAMPLE = {"{counter:str}": "M1", "{move:str}": "next", "{act:str}": "queue", "{name:str}": "queues"}


ADMIN_PATHS = (
    "/console/admin",
    "/console/audit",
    "/console/connection",
    "/console/erasure",
    "/console/review",
    "/console/today",
)


def endpoints(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler of every console route, with something plausible in place of its parameters."""
    for route in app.routes:
        if not route.path.startswith("/console"):
            continue
        path = route.path
        for parameter, value in SAMPLE.items():
            path = path.replace(parameter, value)
        for handler in route.route_handlers:  # type: ignore[union-attr]  # console routes are HTTP routes
            for method in handler.http_methods - {"HEAD", "OPTIONS"}:
                yield path, method, handler


async def test_every_console_route_has_exactly_one_guard(app: Litestar) -> None:
    found = list(endpoints(app))
    assert len(found) >= 20
    for path, method, handler in found:
        known = [guard for guard in handler.resolve_guards() if getattr(guard, "fn", guard) in GUARDS]
        assert len(known) == 1, f"{method} {path}"


async def test_only_the_sign_in_is_open_to_all(app: Litestar) -> None:
    opened = {
        path
        for path, _, handler in endpoints(app)
        if any(getattr(guard, "fn", guard) is guards.visitor for guard in handler.resolve_guards())
    }
    assert opened == OPEN_TO_ALL


async def test_no_endpoint_answers_without_a_session(app: Litestar, stranger: Browser) -> None:
    for path, method, _ in endpoints(app):
        if path in OPEN_TO_ALL:
            continue
        answer = await stranger.request(method, path, headers={"accept": "application/json"})
        assert answer.status_code == 401, f"{method} {path}"


async def test_a_clerk_reaches_no_endpoint_of_the_administrator(app: Litestar, clerk: Browser) -> None:
    closed = [(path, method) for path, method, _ in endpoints(app) if path.startswith(ADMIN_PATHS)]
    assert closed
    for path, method in closed:
        headers = {"accept": "application/json", "x-csrf-token": clerk.csrf}
        answer = await clerk.request(method, path, headers=headers)
        assert answer.status_code == 403, f"{method} {path}"


async def test_no_endpoint_that_changes_something_answers_without_the_token_of_the_page(
    app: Litestar, admin: Browser
) -> None:
    for path, method, _ in endpoints(app):
        if method == "GET" or path in OPEN_TO_ALL:
            continue
        for token in ("", "x" * 43):
            headers = {"accept": "application/json", "x-csrf-token": token}
            answer = await admin.request(method, path, headers=headers)
            assert answer.status_code == 403, f"{method} {path} {token}"


OTHER_SITES = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "cross-site"},
    {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-site"},
]


async def test_no_endpoint_that_changes_something_answers_another_site(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, "Asha Devi")
    for headers in OTHER_SITES:
        more_headers = {**headers, "accept": "application/json", "x-csrf-token": clerk.csrf}
        answer = await clerk.post("/console/desk/next", json={"counter": "M1"}, headers=more_headers)
        assert answer.status_code == 403, headers
    assert (await clerk.desk())["current"] is None


async def test_another_site_cannot_sign_a_browser_in(stranger: Browser, services: Services) -> None:
    password = await ready_login(services.staff, "asha")
    form = {"login": "asha", "password": password}
    answer = await stranger.post("/console/login", data=form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert not answer.headers.get_list("set-cookie")


async def test_json_under_another_name_is_refused(clerk: Browser) -> None:
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""]:
        headers = {"accept": "application/json", "x-csrf-token": clerk.csrf, "content-type": content_type}
        answer = await clerk.post("/console/desk/next", content=b'{"counter":"M1"}', headers=headers)
        assert answer.status_code == 415, content_type


BAD_BODIES = [
    (b"", 400), (b"{", 400), (b"[]", 400), (b'{"counter":7}', 400), (b'{"counter":"M1","more":1}', 400),
    (b"[" * 10_000, 400), (b'{"counter":"\xff"}', 400), (b'{"counter":"' + b"M" * 20_000 + b'"}', 413),
]  # fmt: skip


async def test_a_bad_body_is_refused_without_repeating_it(clerk: Browser) -> None:
    headers = {"accept": "application/json", "x-csrf-token": clerk.csrf, "content-type": "application/json"}
    for body, status in BAD_BODIES:
        answer = await clerk.post("/console/desk/next", content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), body[:20]
        assert len(answer.content) < 400


async def test_a_form_that_is_not_text_is_refused(clerk: Browser) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"_csrf=\xff\xfe", b"a=1&" * 4_000, b"&".join(b"f%d=1" % number for number in range(100))):
        answer = await clerk.post("/console/logout", content=body, headers=headers)
        assert answer.status_code in (400, 403), body[:20]


async def test_no_move_reaches_a_ticket_of_another_hospital(app: Litestar, clerk: Browser, services: Services) -> None:
    place = await arrive(services.check_in, "Somebody Else", hip=OTHER_HIP)
    before = await services.desk.ticket(OTHER_HIP, place.ticket)
    moves = ("call", "start", "finish", "hold", "no-show", "bring-back", "check-in", "cancel")
    for move in moves:
        answer = await clerk.ask(f"/console/desk/{move}", counter="M1", ticket=place.ticket)
        assert answer.json()["outcome"] == "UNKNOWN_TICKET", move
    for path in ("/console/desk/patient", "/console/slip"):
        body = {"ticket": place.ticket, "counter": "M1"} if "desk" in path else {"ticket": place.ticket}
        assert (await clerk.ask(path, **body)).status_code == 404
    assert await services.desk.ticket(OTHER_HIP, place.ticket) == before
    assert (await clerk.desk())["tickets"] == []


async def test_an_administrator_reaches_no_login_and_no_parked_answer_of_another_hospital(
    admin: Browser, services: Services
) -> None:
    await ready_login(services.staff, "stranger", OTHER_HIP)
    for act in ("disable", "reset"):
        answer = await admin.send_form(f"/console/admin/{act}", login="stranger", disabled="1")
        assert answer.status_code == 422
    member = await services.staff.member("stranger")
    assert member is not None
    assert not member.disabled
    assert not member.must_change
    assert "stranger" not in (await admin.get("/console/admin/rooms/staff")).text


async def test_a_clerk_cannot_choose_another_hospital(clerk: Browser) -> None:
    assert (await clerk.send_form("/console/facility", hip=OTHER_HIP)).status_code == 403
    assert (await clerk.get("/console/facility")).status_code == 303


async def test_a_state_administrator_works_in_the_chosen_hospital_only(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    async with browser(app) as one:
        await one.sign_in("director")
        assert (await one.get("/console")).headers["location"] == "/console/facility"
        assert (await one.get("/console/admin")).headers["location"] == "/console/facility"
        assert (await one.send_form("/console/facility", hip="IN9999999999")).status_code == 404
        await one.send_form("/console/facility", hip=OTHER_HIP)
        assert "Sub-District Hospital Sopore" in (await one.get("/console/admin")).text
        await one.send_form("/console/facility", hip=HIP)
        assert "District Hospital Baramulla" in (await one.get("/console/admin")).text


async def test_every_answer_forbids_scripts_frames_and_keeping(clerk: Browser, stranger: Browser) -> None:
    for answer in (
        await clerk.get("/console/at/M1"),
        await clerk.get("/console/desk?counter=M1", headers={"accept": "application/json"}),
        await stranger.get("/console/login"),
        await stranger.get("/console/at/M1"),
        await stranger.post("/console/desk/next", headers={"accept": "application/json"}),
    ):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
