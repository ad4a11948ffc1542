"""``python -m loadtests.history.pages`` signs in through the pages, as a new state administrator does."""

import time
from datetime import date

import pytest
from litestar import Litestar

from kiosk.archive import schema
from kiosk.archive.database import Database
from kiosk.services.web import Services
from loadtests.history.pages import SignIn, all_pages, code_of
from tests.kiosk.archive.rows import insert
from tests.kiosk.console.figures_pages import app
from tests.kiosk.console.signed_in import HIP, browser

pytestmark = pytest.mark.anyio
__all__ = ["app"]
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""Of RFC 6238."""


@pytest.mark.parametrize(("at_s", "code"), [(1111111111, "050471"), (1111111109, "081804"), (1234567890, "005924")])
def test_its_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    """RFC 6238, appendix B, in six digits."""
    assert code_of(RFC_SECRET, at_s) == code


async def test_a_new_login_reaches_every_page_that_is_measured(
    app: Litestar, services: Services, database: Database
) -> None:
    row = {"hip_id": HIP, "key": "k", "name": "Hospital", "district": "Baramulla", "state": "J&K", "timezone": ""}
    insert(database, schema.facilities, row)
    password = await services.staff.add("overseer", facility="*", role="admin")
    async with browser(app) as one:
        await SignIn(one, "overseer").run(password, "")
        for path in all_pages(HIP, "Baramulla", date.fromtimestamp(time.time())):
            answer = await one.get(path)
            assert answer.status_code == 200, path


async def test_a_login_with_an_app_needs_the_secret_of_it(app: Litestar, services: Services) -> None:
    password = await services.staff.add("overseer", facility="*", role="admin")
    async with browser(app) as first:
        await SignIn(first, "overseer").run(password, "")
    password = await services.staff.reset("overseer", within="*", by=None)
    async with browser(app) as one:
        with pytest.raises(SystemExit, match="has an authenticator app: its secret goes into the second line"):
            await SignIn(one, "overseer").run(password, "")


async def test_a_wrong_password_ends_it_with_the_status(app: Litestar) -> None:
    async with browser(app) as one:
        with pytest.raises(SystemExit, match="sign-in of nobody was answered 401"):
            await SignIn(one, "nobody").run("wrong", "")
