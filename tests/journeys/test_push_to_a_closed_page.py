"""A phone agrees on its ticket page, closes it, and is called: the delivery role's message opens there."""

import asyncio
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from kiosk.delivery.role import DeliveryRole
from kiosk.runtime.delivery_role import role_parts
from tests.kiosk.delivery.push_service import push_service
from tests.kiosk.hospital import Hospital, application, emptied, until
from tests.ports import free_port

pytestmark = pytest.mark.anyio


async def test_a_call_reaches_a_phone_whose_page_is_closed(valkey_url: str, tmp_path: Path) -> None:
    await emptied(valkey_url)
    port = free_port()
    allowed = {"KIOSK_PUSH_SERVICES": "127.0.0.1", "KIOSK_PRIVATE_TARGETS": "true"}
    app = application(valkey_url, tmp_path / "data", port, **allowed)
    with push_service() as service:
        async with app.lifespan():
            hospital = Hospital(app, f"http://127.0.0.1:{port}")
            await hospital.build()
            [mine] = await hospital.arrive()
            browser, key = service.browser(), hospital.services.signers.push_keys.public
            transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # narrower words for the same ASGI
            async with httpx.AsyncClient(transport=transport, base_url=hospital.url) as page:
                body = msgspec.to_builtins(browser.request(key))
                assert (await page.post(f"{hospital.ticket_link(mine)}/push?lang=hi", json=body)).status_code == 204
            async with role_parts(hospital.services.settings) as parts:
                working = asyncio.create_task(DeliveryRole(parts).run())
                await hospital.call("M1")
                await until(lambda: bool(service.receiver.taken))
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
        [message] = service.messages(browser)
        assert (message["title"], message["lang"]) == ("M-001", "hi")
        assert service.check_sender(service.receiver.taken[0], key)["exp"] > time.time()
