"""The administrators' page *Connection to ABDM*: what every process observes, and what the gateway has registered."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from kiosk.accounts.sessions import Session
from kiosk.console import connection_messages, guards, templating
from kiosk.observability.checks import Check


class Connection(Controller):
    path = "/console/connection"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(self, session: NamedDependency[Session], connection_report: NamedDependency[Any]) -> Response[str]:
        """One row for each check; failed checks stand first."""
        found: list[Check] = await connection_report()
        order = {"wrong": 0, "warning": 1, "ok": 2}
        return templating.page(
            "connection.html", session=session, checks=sorted(found, key=lambda check: order[check.verdict]),
            verdicts=connection_messages.VERDICTS, check_words=connection_messages.CHECKS,
        )  # fmt: skip
