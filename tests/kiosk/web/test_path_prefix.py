"""Under a path prefix every address of ours carries it, and requests arrive with it or without it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from litestar import Litestar

from kiosk.abdm.callbacks import SHARE, SHARE_V05, SHARE_V1, STATUS
from kiosk.settings import SettingsWrong, load
from kiosk.settings.values import OWN_ADDRESSES
from kiosk.web import path_prefix
from kiosk.web.path_prefix import enter, prefix_of
from queueing.lanes import Lane
from tests.kiosk.console.signed_in import HIP, Browser, browser, build_hospital, opened_app, ready_login, services_of

pytestmark = pytest.mark.anyio

HOST = "https://opd.example.in"
PUBLIC = f"{HOST}/opd"
ADDRESS = re.compile(r"""(?:href|src|action|data-(?:live|ask|qr)|data-prefix)="([^"]*)\"""")
PAGES = (
    "/", "/?facility=Baramulla", f"/board/{HIP}", f"/kiosk/{HIP}/M1", "/console/login", "/console/counters",
    "/console/at/M1", "/console/admin", "/console/audit", "/console/connection", "/console/password",
)  # fmt: skip


@pytest.fixture(params=["passed on", "stripped"])
def before(request: pytest.FixtureRequest) -> str:
    """What a proxy leaves before the path of a request."""
    return "/opd" if request.param == "passed on" else ""


@pytest.fixture(scope="module")
async def running(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Litestar]:
    async with opened_app(valkey_url, tmp_path_factory.mktemp("prefixed"), KIOSK_PUBLIC_URL=PUBLIC) as app:
        yield app


@pytest.fixture
async def app(running: Litestar) -> Litestar:
    """Running, with one hospital and without anything from the test before."""
    services = services_of(running)
    await services.store.each_primary("FLUSHALL")
    await services.seal.refresh(services.day_keys)
    await build_hospital(services, HIP, "District Hospital Baramulla")
    return running


def client(app: Litestar, before: str) -> Browser:
    return browser(app, base=HOST + before)


async def signed_in(app: Litestar, before: str) -> Browser:
    """An administrator. The browser's cookies belong to the public address, whatever the proxy does to the path."""
    password = await ready_login(services_of(app).staff, "asha", role="admin")
    admin = client(app, before)
    admin.headers["origin"] = HOST
    answer = await admin.sign_in("asha", password)
    assert (answer.status_code, answer.headers["location"]) == (303, "/opd/console")
    admin.headers["cookie"] = "; ".join(line.partition(";")[0] for line in answer.headers.get_list("set-cookie"))
    page = await admin.get("/console/password")
    admin.csrf = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    assert admin.csrf
    return admin


async def test_every_address_of_every_page_begins_with_the_prefix(app: Litestar, before: str) -> None:
    admin = await signed_in(app, before)
    for path in PAGES:
        page = await admin.get(path)
        assert page.status_code == 200, path
        found = [one for one in ADDRESS.findall(page.text) if not one.startswith(("?", "#", "data:", "http"))]
        assert found, path
        assert [one for one in found if one != "/opd" and not one.startswith("/opd/")] == [], path
        for file in {one for one in found if one.startswith("/opd/static/")}:
            assert (await admin.get(file.removeprefix("/opd"))).status_code == 200, file


async def test_redirects_and_moves_of_the_console_stay_under_the_prefix(app: Litestar, before: str) -> None:
    admin = await signed_in(app, before)
    assert (await admin.get("/console")).headers["location"] == "/opd/console/counters"
    changed = await admin.send_form("/console/admin/queue", id="eye", name="Eye", prefix="E")
    assert changed.headers["location"] == "/opd/console/admin/rooms/queues?done=queue#queue"
    assert (await admin.desk("M1"))["counter"] == "M1"
    assert (await admin.ask("/console/desk/next", counter="M1")).json()["outcome"] == "EMPTY"
    out = await admin.send_form("/console/logout")
    assert out.headers["location"] == "/opd/console/login"
    stranger = await client(app, before).get("/console/admin")
    assert stranger.headers["location"] == "/opd/console/login?back=%2Fconsole%2Fadmin"
    page = {"referer": f"{PUBLIC}/console/admin/hours"}
    refused = await client(app, before).post("/console/admin/queue", headers=page)
    assert refused.headers["location"] == "/opd/console/login?back=%2Fconsole%2Fadmin%2Fhours"


async def test_a_walk_in_s_slip_and_the_form_without_an_app_lead_to_the_public_address(
    app: Litestar, before: str
) -> None:
    admin = await signed_in(app, before)
    slip = (await admin.ask("/console/walk-in", queue="medicine", name="Asha", lane=Lane.ORDINARY.name)).json()
    assert slip["link"].startswith(f"{PUBLIC}/t/")
    ticket = await admin.get(slip["link"].removeprefix(PUBLIC))
    assert 'data-ask="/opd/t/' in ticket.text
    screen = (await admin.get(f"/kiosk/{HIP}/M1/qr")).json()
    assert screen["abdm"]["svg"].startswith("/opd/kiosk/")
    assert (await admin.get(screen["camera"]["svg"].removeprefix("/opd"))).status_code == 200
    assert screen["camera"]["text"].startswith(f"{PUBLIC}/go/")
    phone = client(app, before)
    form = await phone.get(screen["camera"]["text"].removeprefix(PUBLIC))
    assert "; Path=/opd/go/;" in form.headers["set-cookie"]
    fields = {"name": "Asha Devi", "age": "40", "gender": "F", "consent": "yes"}
    sent = await phone.post(screen["camera"]["text"].removeprefix(PUBLIC), data=fields, headers={"origin": HOST})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/opd/t/")


async def test_cookies_of_the_console_are_sent_under_the_prefix_alone(app: Litestar, before: str) -> None:
    password = await ready_login(services_of(app).staff, "asha")
    clerk = client(app, before)
    clerk.headers["origin"] = HOST
    answer = await clerk.post("/console/login", data={"login": "asha", "password": password})
    names = [line.partition("=")[0] for line in answer.headers.get_list("set-cookie")]
    assert names == ["__Secure-kiosk", "__Secure-kiosk-desk"]
    for line in answer.headers.get_list("set-cookie"):
        assert {"Path=/opd", "Secure", "HttpOnly", "SameSite=strict"} <= set(line.split("; "))


@pytest.mark.parametrize("path", [*SHARE, SHARE_V1, SHARE_V05, STATUS])
async def test_the_gateway_reaches_its_endpoints(app: Litestar, before: str, path: str) -> None:
    answer = await client(app, before).post(path, json={})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_an_id_with_a_slash_has_a_board_under_the_prefix(app: Litestar, before: str) -> None:
    await build_hospital(services_of(app), "IN01/A", "Block A")
    board = await client(app, before).get("/board/IN01%2FA")
    assert (board.status_code, 'data-live="/opd/live/IN01%2FA"' in board.text) == (200, True)


async def test_without_a_prefix_nothing_changes(valkey_url: str, tmp_path: Path) -> None:
    async with opened_app(valkey_url, tmp_path, KIOSK_PUBLIC_URL=HOST) as app:
        services = services_of(app)
        await services.store.each_primary("FLUSHALL")
        await services.seal.refresh(services.day_keys)
        await build_hospital(services, HIP, "District Hospital Baramulla")
        clerk = browser(app, base=HOST)
        password = await ready_login(services.staff, "asha")
        answer = await clerk.post("/console/login", data={"login": "asha", "password": password})
        assert answer.headers["location"] == "/console"
        [session, device] = answer.headers.get_list("set-cookie")
        assert session.startswith("__Host-kiosk=")
        assert device.startswith("__Host-kiosk-desk=")
        assert "; Path=/;" in session
        assert f'data-live="/live/{HIP}"' in (await clerk.get(f"/board/{HIP}")).text
        assert (await clerk.get(f"/opd/board/{HIP}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "raw", "left", "raw_left"),
    [
        ("/opd", b"/opd", "/", b""),
        ("/opd/", b"/opd/", "/", b"/"),
        ("/opd/board/IN/A", b"/opd/board/IN%2FA", "/board/IN/A", b"/board/IN%2FA"),
        ("/opdx/board", b"/opdx/board", "/opdx/board", b"/opdx/board"),
        ("/board/opd", b"/board/opd", "/board/opd", b"/board/opd"),
        ("/opd/opd/x", b"/opd/opd/x", "/opd/x", b"/opd/x"),
        ("/opd/board", b"/%6Fpd/board", "/board", b""),
    ],
)
def test_the_prefix_is_taken_off_once_and_only_where_it_stands(
    path: str, raw: bytes, left: str, raw_left: bytes
) -> None:
    scope: Any = {"path": path, "raw_path": raw}
    enter(scope, "/opd")
    assert (scope["path"], scope["raw_path"]) == (left, raw_left)
    assert path_prefix.url("/board/x") == "/opd/board/x"
    enter(scope, "")
    assert path_prefix.url("/board/x") == "/board/x"


@pytest.mark.parametrize(
    ("text", "prefix"),
    [("https://host", ""), ("https://host/", ""), ("https://host/opd", "/opd"), ("https://host:8443/a/b-c/", "/a/b-c")],
)
def test_a_public_address_may_have_a_path(text: str, prefix: str) -> None:
    settings = load({"KIOSK_PUBLIC_URL": text})
    assert settings.public_url == text.rstrip("/")
    assert prefix_of(settings.public_url) == prefix


@pytest.mark.parametrize(
    "path",
    ["/a b", "/a//b", "/../x", "/a/..", "/%6F", "/a?b", "/a#b", "/kiosk", "/console/x", "/api", "/a/b/c/d/e", "/हिंदी"],
)
def test_a_path_that_proxies_rewrite_or_that_is_ours_is_refused_in_words(path: str) -> None:
    with pytest.raises(SettingsWrong, match=r"KIOSK_PUBLIC_URL .* a path may follow"):
        load({"KIOSK_PUBLIC_URL": f"https://host{path}"})


async def test_no_prefix_may_begin_like_an_address_of_ours(app: Litestar) -> None:
    paths = {route.path for route in cast(Any, app).routes}
    assert {path.split("/")[1] for path in paths} - {""} == OWN_ADDRESSES
