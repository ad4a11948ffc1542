"""``security.txt`` names the operator's contact, never one that has expired."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from kiosk.app import create_app
from kiosk.settings import SettingsWrong, load
from kiosk.web.security_txt import security_text
from queueing.embedded.server import EmbeddedValkey

ADDRESS = "http://127.0.0.1:8000/.well-known/security.txt"


@pytest.fixture(params=["mailto:security@example.in", ""])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Litestar]:
    async with EmbeddedValkey(tmp_path / "data") as store:
        app = create_app(load({"KIOSK_DATA_DIR": str(store.folder), "KIOSK_SECURITY_CONTACT": request.param}))
        async with app.lifespan():
            yield app


def fields(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


@pytest.mark.anyio
async def test_the_contact_is_named_or_its_absence_said_in_words(app: Litestar) -> None:
    transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 9))  # type: ignore[arg-type]  # both mean ASGI
    async with httpx.AsyncClient(transport=transport) as stranger:
        answer = await stranger.get(ADDRESS)
    assert answer.headers["content-type"].startswith("text/plain")
    if answer.status_code == 404:
        assert "KIOSK_SECURITY_CONTACT" in answer.text
        return
    named = fields(answer.text)
    assert named["Contact"] == "mailto:security@example.in"
    assert named["Canonical"] == ADDRESS
    ahead = datetime.fromisoformat(named["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < ahead < timedelta(days=365)


def test_the_expiry_moves_with_the_day() -> None:
    now = datetime(2026, 1, 1, 23, 59, tzinfo=UTC)
    first = fields(security_text("tel:+91-194-0000", "https://a.example", now))["Expires"]
    assert first == "2026-06-30T00:00:00Z"
    assert fields(security_text("tel:+91-194-0000", "https://a.example", now + timedelta(minutes=2)))["Expires"] > first


@pytest.mark.parametrize(
    "wrong", ["security@example.in", "http://example.in", "mailto:a@b\nContact: c", "mailto:" + "x" * 250]
)
def test_what_is_no_contact_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsWrong, match="KIOSK_SECURITY_CONTACT"):
        load({"KIOSK_SECURITY_CONTACT": wrong})
