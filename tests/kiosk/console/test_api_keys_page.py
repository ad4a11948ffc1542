"""The page *API keys*: an administrator makes a key, sees it once, and revokes it."""

import re

import pytest

from kiosk.services.web import Services
from queueing.api_keys import Scope
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/connections/keys"


async def test_a_key_is_shown_once_and_works(admin: Browser, services: Services) -> None:
    answer = await admin.send_form(PAGE, name="HIS <b>", **{"tickets:read": "1", "profiles:read": "1"})
    assert answer.status_code == 200
    (text,) = re.findall(r"kiosk_[0-9a-f]{10}_[\w-]{43}", answer.text)
    key = await services.api.keys.find(text)
    assert key is not None
    assert (key.facility, key.by, key.scopes) == (HIP, "imran", (Scope.PROFILES_READ, Scope.TICKETS_READ))
    page = (await admin.get(PAGE)).text
    assert key.id in page
    assert text not in page
    assert "HIS &lt;b&gt;" in page


async def test_a_revoked_key_is_gone_and_both_acts_are_in_the_audit(admin: Browser, services: Services) -> None:
    key, _ = await services.api.keys.add("HIS", HIP, [Scope.TICKETS_READ], by="imran")
    assert (await admin.send_form(f"{PAGE}/{key.id}/revoke")).status_code in (200, 303)
    assert await services.api.keys.of(HIP) == []
    acts = [(one.kind, one.by) for one in await services.audit.read(HIP) if one.kind.startswith("api_key")]
    assert acts == [("api_key_revoked", "imran"), ("api_key_added", "imran")]


async def test_a_key_of_another_facility_or_of_all_cannot_be_revoked_here(admin: Browser, services: Services) -> None:
    for facility in (OTHER_HIP, "*"):
        key, text = await services.api.keys.add("HIS", facility, [Scope.TICKETS_READ], by="root")
        assert (await admin.send_form(f"{PAGE}/{key.id}/revoke")).status_code == 404
        assert await services.api.keys.find(text) == key
    assert "None yet." in (await admin.get(PAGE)).text


@pytest.mark.parametrize("form", [{"name": "HIS"}, {"name": " ", "tickets:read": "1"}])
async def test_a_key_needs_a_name_and_a_scope(admin: Browser, services: Services, form: dict[str, str]) -> None:
    answer = await admin.send_form(PAGE, **form)
    assert answer.status_code == 422
    assert "trouble" in answer.text
    assert await services.api.keys.of(HIP) == []
