"""The page *Copy a facility*: a state administrator sees what would be made, and makes it."""

import pytest

from kiosk.services.web import Services
from queueing.models import Facility
from tests.kiosk.console.signed_in import HIP, Browser, shown_text

pytestmark = pytest.mark.anyio
PAGE = "/console/facility/copy"
NEW = "IN0110000777"


async def test_it_is_shown_first_and_made_by_a_second_press(overseer: Browser, services: Services) -> None:
    await services.registry.put_facility(Facility(hip_id=NEW, name="New Hospital"))
    shown = shown_text(await overseer.get(PAGE, params={"template": HIP, "to": NEW}))
    assert f"This would be made in {NEW}" in shown
    assert "Serves medicine" in shown
    assert await services.registry.queues(NEW) == []
    answer = await overseer.send_form(PAGE, template=HIP, to=NEW)
    assert answer.headers["location"] == f"{PAGE}?template={HIP}&to={NEW}&done=1"
    after = shown_text(await overseer.get(answer.headers["location"]))
    assert "Nothing is left to make" in after
    assert await services.registry.queues(NEW) == await services.registry.queues(HIP)
    assert [one.name for one in await services.registry.counters(NEW)] == ["M1", "M2", "M3", "R1"]
    acts = [(one.kind, one.by, one.why) for one in await services.audit.read(NEW)]
    assert acts == [("admin_copied", "sheikh", HIP)]


async def test_what_cannot_be_copied_is_named(overseer: Browser) -> None:
    for template, to, status, sentence in (
        (HIP, HIP, 422, "no template of itself"), ("IN99", HIP, 404, "of the template"),
        (HIP, "IN99", 404, "of the new one"), (HIP, "", 404, "of the new one"),
    ):  # fmt: skip
        shown = await overseer.get(PAGE, params={"template": template, "to": to})
        made = await overseer.send_form(PAGE, template=template, to=to)
        assert (shown.status_code, made.status_code) == (status, status)
        assert sentence in shown.text
        assert sentence in made.text
