"""Unusual but valid HTTP of senders, balancers and monitors, written to sockets of a real ``kiosk serve``.

The addresses are read from the application itself, so that a new one is tested too.
"""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from litestar.routes import HTTPRoute

from kiosk.abdm.callbacks import SHARE, SHARE_V05, SHARE_V1, STATUS
from kiosk.app import create_app
from kiosk.security import own_ca
from kiosk.settings import load
from kiosk.web.limits import BODY_MAX, GATEWAY_BODY_MAX, PHONE_FORM_MAX, SCREEN_REPORT_MAX
from tests.kiosk.abdm.fake_gateway import SigningKey, good_claims
from tests.kiosk.in_process import kiosk
from tests.kiosk.observability.hospital_tree import HIP, HospitalTree, hospital_tree
from tests.kiosk.runtime.raw_requests import PATIENCE_S, Answer, Caller, chunks

pytestmark = pytest.mark.slow

AT_ONCE_S = 4.0
"""Less than the deadline of a body (5 s): an answer after it is one that waited for the rest of the body."""
AT_A_TIME = 8
GATEWAY = (*SHARE, SHARE_V1, SHARE_V05, STATUS)
PASSWORD = "saffron orchard lantern"
FORM = "application/x-www-form-urlencoded"
SAMPLES = {
    "hip_id": HIP, "counter": "M1", "name": "abdm-1.svg", "link": "unknown", "act": "queue", "move": "next",
    "path": "none",
}  # fmt: skip


class Running:
    """The running service, its caller, and the headers of a signed-in browser."""

    def __init__(self, hospital: HospitalTree, key: SigningKey, password: str) -> None:
        self.url = hospital.url
        self.caller = Caller(hospital.url)
        self.bearer = f"Bearer {key.sign(good_claims())}"
        self.own_page = {"Origin": hospital.url, "Accept": "application/json"}
        self.session = self.own_page | self._sign_in(password)
        camera = httpx.get(f"{self.url}/kiosk/{HIP}/M1/qr").json()["camera"]["text"]
        self.form_path = urlsplit(camera).path

    def _sign_in(self, password: str) -> dict[str, str]:
        with httpx.Client(base_url=self.url, headers={"Origin": self.url}) as browser:
            browser.post("/console/login", data={"login": "asha", "password": password})
            csrf = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/console/password").text)
            assert csrf
            form = {"old": password, "new": PASSWORD, "again": PASSWORD, "_csrf": csrf[1]}
            assert browser.post("/console/password", data=form).status_code == 303
            csrf = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/console/password").text)
            assert csrf
            return {"Cookie": "; ".join(f"{k}={v}" for k, v in browser.cookies.items()), "X-CSRF-Token": csrf[1]}

    def post(self, path: str, headers: dict[str, str], *parts: bytes, pause_s: float = 0.0) -> Answer:
        return self.caller.send(self.caller.head("POST", path, headers), *parts, pause_s=pause_s)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data_dir, key = tmp_path_factory.mktemp("raw") / "data", SigningKey("k1")
    kiosk(data_dir, "facility", "add", HIP, "--name", "District Hospital")
    added = kiosk(data_dir, "staff", "add", "asha", "--facility", HIP, "--role", "admin", "--json")
    own_ca.make(data_dir, ["127.0.0.1"], own_ca.utc_now())
    with hospital_tree(data_dir, "http://127.0.0.1:9", key) as hospital:
        yield Running(hospital, key, json.loads(added.stdout)["password"])


def addresses() -> dict[str, set[str]]:
    """A path of every route of the application, with the methods of its handlers."""
    app = create_app(load({"KIOSK_SECURITY_CONTACT": "mailto:security@example.in"}))
    found: dict[str, set[str]] = {}
    for route in cast(Any, app).routes:
        path = re.sub(r"\{(\w+):\w+\}", lambda part: SAMPLES.get(part[1], "unknown"), route.path)
        if isinstance(route, HTTPRoute):
            handled = {str(method) for handler in route.route_handlers for method in handler.http_methods}
            found.setdefault(path, set()).update(handled - {"OPTIONS"})
        else:
            found["/live/" + HIP if path == "/live" else path] = {"POST"} if path in GATEWAY else {"GET"}
    return found


ADDRESSES = dict(sorted(addresses().items()))


def allow_of(methods: set[str]) -> str:
    return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


def test_every_address_is_tried() -> None:
    assert set(GATEWAY) < set(ADDRESSES)
    assert {"/", "/console/login", "/live/IN01", "/healthz", "/console/desk/next"} < set(ADDRESSES)
    assert ADDRESSES["/console/login"] == {"GET", "POST"}


@pytest.mark.parametrize("path", ADDRESSES)
def test_options_names_the_methods_of_an_address(running: Running, path: str) -> None:
    answer = running.caller.ask("OPTIONS", path)
    assert (answer.status, answer.headers["allow"], answer.body) == (204, allow_of(ADDRESSES[path]), b"")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_method_that_an_address_has_not_is_refused_with_those_it_has(running: Running, path: str) -> None:
    for method in ("BREW", "TRACE", "DELETE", *({"GET", "POST"} - ADDRESSES[path])):
        answer = running.caller.ask(method, path)
        assert (answer.status, answer.headers.get("allow")) == (405, allow_of(ADDRESSES[path])), method


@pytest.mark.parametrize("path", [path for path, methods in ADDRESSES.items() if "GET" in methods])
def test_head_is_get_without_a_body(running: Running, path: str) -> None:
    head = running.caller.ask("HEAD", path, Accept="text/html")
    assert head.body == b""
    if path.startswith("/live/"):  # its GET has no end
        assert (head.status, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        return
    get = running.caller.ask("GET", path, Accept="text/html")
    assert (head.status, set(head.headers)) == (get.status, set(get.headers))
    steady = set(head.headers) - {"date", "set-cookie", "content-length", "etag"}  # some pages differ each time
    assert {name: head.headers[name] for name in steady} == {name: get.headers[name] for name in steady}


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_absolute_target_is_the_same_address(running: Running, path: str) -> None:
    """A server must accept it (RFC 9112, section 3.2.2), and some balancers send it."""
    method = "HEAD" if "GET" in ADDRESSES[path] else "POST"
    plain = running.caller.ask(method, path, Content_Length="" if method == "HEAD" else "0")
    whole = running.caller.ask(method, f"{running.url}{path}", Content_Length="" if method == "HEAD" else "0")
    assert (whole.status, whole.headers["content-type"]) == (plain.status, plain.headers["content-type"])


def test_balancers_ask_whether_the_server_lives(running: Running) -> None:
    """Without a ``Host`` over HTTP/1.0, as HAProxy does, and by ``OPTIONS *``."""
    star = running.caller.ask("OPTIONS", "*")
    assert (star.status, star.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    for target in ("/healthz", "/readyz", "/"):
        assert running.caller.ask("GET", target, version="1.0", Host="").status == 200, target
        assert running.caller.ask("OPTIONS", target, version="1.0", Host="").status == 204, target
    assert running.caller.ask("GET", "/healthz", version="1.1", Host="").status == 400
    assert running.caller.ask("GET", "/healthz", version="1.0", Host="evil.example").status == 421


def limited(running: Running) -> dict[str, tuple[dict[str, str], int]]:
    """Every address that accepts a body, with its limit and the headers without which the body is not read."""
    share = {"Authorization": running.bearer, "REQUEST-ID": "11111111-2222-4333-8444-555555555555"}
    found = {path: (share | {"Content-Type": "application/json"}, GATEWAY_BODY_MAX) for path in GATEWAY}
    for path, methods in ADDRESSES.items():
        if path.startswith("/console/") and "POST" in methods:
            kind = "application/json" if re.match(r"/console/(desk|scan|walk-in|slip)", path) else FORM
            # The token of the page stands in the body: the guard reads it.
            headers = {k: v for k, v in running.session.items() if kind != FORM or k != "X-CSRF-Token"}
            found[path] = (headers | {"Content-Type": kind}, BODY_MAX)
    own_page = running.own_page
    found["/screen/state"] = (own_page | {"Content-Type": "application/json"}, SCREEN_REPORT_MAX)
    found[running.form_path] = (own_page | {"Content-Type": FORM}, PHONE_FORM_MAX)
    found[f"/find/{HIP}"] = (own_page | {"Content-Type": FORM}, PHONE_FORM_MAX)
    found[f"/find/{HIP}/arrived"] = (own_page | {"Content-Type": FORM}, PHONE_FORM_MAX)
    return found


def test_every_address_that_takes_a_body_is_tried(running: Running) -> None:
    # Bodies of the API are limited by its own reader: tests/kiosk/api.
    posts = {path for path, methods in ADDRESSES.items() if "POST" in methods and not path.startswith("/api/")}
    assert posts - set(limited(running)) == {
        "/go/unknown",  # a signed link stands in its place
        "/t/unknown/push",  # the same: tests/kiosk/phone/test_push.py
        "/t/unknown/push/end",
        "/t/unknown/cancel",  # reads no body
    }


def on_every_address(
    running: Running, post: Callable[[str, dict[str, str], int], Answer], *, but: tuple[str, ...] = ()
) -> list[tuple[str, Answer]]:
    """Answers of the addresses that accept a body. ``post`` is called with path, headers and limit. Some at a time:
    before its refusal ends the server reads half a second of what the sender still writes.
    """
    addresses = {path: of for path, of in limited(running).items() if path not in but}
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        return list(zip(addresses, threads.map(lambda path: post(path, *addresses[path]), addresses), strict=True))


def test_a_chunked_body_over_the_limit_is_refused_at_once_on_every_address(running: Running) -> None:
    """The sender never ends its body: an answer that waited for the end would be 408, after five seconds."""

    def post(path: str, headers: dict[str, str], limit: int) -> Answer:
        body = chunks(limit + 65_536, last=False)
        return running.post(path, headers | {"Transfer-Encoding": "chunked"}, *body)

    for path, answer in on_every_address(running, post):
        assert (answer.status, answer.seconds < AT_ONCE_S) == (413, True), (path, answer)
        assert len(answer.body) == int(answer.headers["content-length"]), path


def test_a_length_over_the_limit_is_refused_before_the_body_comes(running: Running) -> None:
    def post(path: str, headers: dict[str, str], limit: int) -> Answer:
        return running.post(path, headers | {"Content-Length": str(limit + 1), "Connection": "close"})

    for path, answer in on_every_address(running, post, but=GATEWAY):
        assert (answer.status, answer.seconds < AT_ONCE_S) == (413, True), (path, answer)


@pytest.mark.parametrize("path", ["/console/login", "/nowhere", SHARE[0], "/board/IN01"])
def test_a_sender_that_reads_only_after_writing_is_not_cut_off(running: Running, path: str) -> None:
    """If the connection were closed while twelve megabytes are in transit, the sender would not get the answer."""
    headers = running.own_page | {"Content-Type": FORM, "Transfer-Encoding": "chunked"}
    answer = running.post(path, headers, *chunks(12 << 20))
    assert answer.sent_all
    assert answer.status == {"/console/login": 413, "/nowhere": 404, SHARE[0]: 401, "/board/IN01": 405}[path]
    assert answer.body


def test_a_sender_that_expects_100_continue_gets_it_or_the_refusal(running: Running) -> None:
    waits = {"Expect": "100-continue", "Connection": "close"}
    form = b"login=asha&password=wrong"
    sign_in = running.own_page | waits | {"Content-Type": FORM, "Content-Length": str(len(form))}
    answer = running.post("/console/login", sign_in, form, pause_s=PATIENCE_S)
    assert (answer.continued, answer.status) == (True, 401)
    for path, status in (("/nowhere", 404), (SHARE[0], 401), ("/board/IN01", 405), ("/console/desk/next", 401)):
        refused = running.post(path, running.own_page | waits | {"Content-Length": "1000000"})
        assert (refused.continued, refused.status) == (False, status), path
        assert refused.seconds < AT_ONCE_S, path
    too_large = running.post("/console/login", sign_in | {"Content-Length": "99999999999999999999999"})
    assert (too_large.continued, too_large.status) in {(False, 413), (False, 400)}
