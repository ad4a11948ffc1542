"""The page *API keys*: which programs may call the API for this facility. A key is shown once, in the answer that made
it. Making and revoking stand in the audit.
"""

from typing import Final

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from kiosk.accounts.sessions import Session
from kiosk.console import connection_messages, guards, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr, translated
from kiosk.console.lookups import facility_of
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from queueing.api_keys import NAME_MAX, ApiKeys, Scope, TooManyKeys
from queueing.display_text import display_text
from queueing.registry import Registry

PLACE: Final = "/console/connections/keys"
ID_MAX: Final = 32


class ApiKeysPage(Controller):
    path = PLACE

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry],
        api_keys: NamedDependency[ApiKeys], settings: NamedDependency[Settings], done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        return await _page(
            session, registry, api_keys, settings, message=tr(connection_messages.KEYS_DONE.get(done, ""))
        )

    @post("/", guards=[guards.administrator], include_in_schema=False)
    async def add(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        api_keys: NamedDependency[ApiKeys], settings: NamedDependency[Settings],
    ) -> Response[str]:  # fmt: skip
        """Make a key. The answer shows it, once."""
        form = await read_form(request)
        name, scopes = display_text(form.get("name", ""), NAME_MAX), [one for one in Scope if one in form]
        if not name or not scopes:
            trouble = tr(connection_messages.KEYS_TROUBLE["form"]).format(most=NAME_MAX)
            return await _page(session, registry, api_keys, settings, trouble=trouble, status=422, typed=form)
        try:
            key, text = await api_keys.add(
                name, session.facility, scopes, by=session.login, address=guards.address_of(request)
            )
        except TooManyKeys as full:
            return await _page(
                session,
                registry,
                api_keys,
                settings,
                trouble=tr(connection_messages.REFUSED).format(fault=full),
                status=422,
                typed=form,
            )
        return await _page(session, registry, api_keys, settings, secret=text, made=key.name)

    @post("/{key_id:str}/revoke", guards=[guards.administrator], include_in_schema=False)
    async def revoke(
        self, request: ConsoleRequest, key_id: FromPath[str], session: NamedDependency[Session],
        api_keys: NamedDependency[ApiKeys],
    ) -> Response[None]:  # fmt: skip
        """End a key of this facility."""
        await read_form(request)
        ended = await api_keys.revoke(
            key_id[:ID_MAX], by=session.login, address=guards.address_of(request), within=session.facility
        )
        if ended is None:
            raise NotFoundException
        return templating.go(f"{PLACE}?done=revoked")


async def _page(
    session: Session, registry: Registry, api_keys: ApiKeys, settings: Settings, *, message: str = "",
    trouble: str = "", status: int = 200, typed: dict[str, str] | None = None, secret: str = "", made: str = "",
) -> Response[str]:  # fmt: skip
    """``secret``, ``made``: text and name of the key just made."""
    facility = await facility_of(session, registry)
    return templating.page(
        "api_keys.html", session=session, status=status, facility=facility, message=message, trouble=trouble,
        typed=typed or {}, secret=secret, made=made, keys=await api_keys.of(session.facility),
        scopes=translated(connection_messages.SCOPES), zone=facility.timezone or settings.timezone, name_max=NAME_MAX,
    )  # fmt: skip
