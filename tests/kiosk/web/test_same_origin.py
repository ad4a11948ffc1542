"""Which requests come from a page of ours, for a form with a session and for a form behind a link."""

import pytest

from kiosk.web.same_origin import Strictness, is_same_origin

OURS = "https://opd.example"
DIRECT = "127.0.0.1:8000"

CASES = [
    # Sec-Fetch-Site, Origin, Host, cookie, link
    ("same-origin", OURS, "opd.example", True, True),
    ("same-origin", None, "opd.example", True, True),
    ("same-origin", "null", "opd.example", True, True),
    ("same-origin", "https://evil.example", "opd.example", False, False),
    ("cross-site", OURS, "opd.example", False, False),
    ("same-site", OURS, "opd.example", False, False),
    ("none", None, "opd.example", False, True),
    ("none", "https://evil.example", "opd.example", False, False),
    ("anything", OURS, "opd.example", False, False),
    (None, None, "opd.example", False, True),
    (None, "", "opd.example", False, False),
    (None, "null", "opd.example", False, False),
    (None, OURS, "opd.example", True, True),
    (None, "https://OPD.example:443", "opd.example", True, True),
    (None, "http://opd.example", "opd.example", False, False),
    (None, "https://opd.example:8443", "opd.example", False, False),
    (None, "https://opd.example.evil.example", "opd.example", False, False),
    (None, "https://opd.example:x", "opd.example", False, False),
    (None, "opd.example", "opd.example", False, False),
    (None, "https://opd.lan", "opd.lan", True, True),
    (None, "http://opd.lan", "opd.lan", False, False),
    (None, f"http://{DIRECT}", DIRECT, True, True),
    (None, f"https://{DIRECT}", DIRECT, True, True),
    (None, "http://127.0.0.1:9000", DIRECT, False, False),
    (None, "http://[::1]:8000", "[::1]:8000", True, True),
]


@pytest.mark.parametrize(("site", "origin", "host", "cookie", "link"), CASES)
def test_a_request_is_from_our_page_or_not(
    site: str | None, origin: str | None, host: str, cookie: bool, link: bool
) -> None:
    sent = {"sec-fetch-site": site, "origin": origin, "host": host}
    headers = {name: value for name, value in sent.items() if value is not None}
    assert is_same_origin(headers, "http", OURS, Strictness.COOKIE) is cookie
    assert is_same_origin(headers, "http", OURS, Strictness.LINK) is link
