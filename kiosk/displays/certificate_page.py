"""``/tls``: how a device of the hospital learns to trust the hospital's own certificate."""

import datetime

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException

from kiosk.locales import ENGLISH
from kiosk.security import own_ca
from kiosk.settings import Settings
from kiosk.web.security_headers import SECURITY
from kiosk.web.templating import page


@get("/tls", include_in_schema=False, sync_to_thread=True)
def certificate_page(settings: NamedDependency[Settings]) -> Response[str]:
    """What to do on each kind of device; in English, for the person who sets devices up."""
    files = own_ca.files_in(settings.data_dir)
    if not files.ca.exists():
        raise NotFoundException
    return page("certificate.html", ENGLISH, fingerprint=own_ca.fingerprint(files.ca), until=_day(files))


@get("/tls/ca.crt", include_in_schema=False, sync_to_thread=True)
def certificate(settings: NamedDependency[Settings]) -> Response[bytes]:
    """The authority's certificate; its private key never leaves the data folder."""
    files = own_ca.files_in(settings.data_dir)
    if not files.ca.exists():
        raise NotFoundException
    return Response(files.ca.read_bytes(), media_type="application/x-x509-ca-cert", headers=SECURITY)


def _day(files: own_ca.Files) -> datetime.date:
    return own_ca.ends_at(files.ca).date()
