"""Rows of ``kiosk doctor`` about settings that are risky and data that is incomplete. One small function for each."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from kiosk.archive.database import ArchiveAway, ArchiveUnsuitable
from kiosk.archive.positions import FAR_AT_LEAST, FAR_SHARE, Positions, positions
from kiosk.archive.status import archive_state
from kiosk.cli.facility import without_place
from kiosk.observability.checks import Check
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.security.own_ca import RENEW_DAYS, ends_at
from kiosk.services.process import new_archive, new_seal
from kiosk.settings import Settings
from kiosk.settings.values import is_loopback
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.models import Facility, Nearness
from queueing.registry import Registry
from queueing.store.store import Store

PAGE: Final = 500
"""The registry's largest page."""
FACILITIES_READ_MAX: Final = 5_000
"""A state has 3,600; reading these takes about a second."""
NAMED_MAX: Final = 3
"""Facilities that a row names."""
LIVING_READ: Final = 400
ENDED_READ: Final = 200
"""Tickets of one facility that are read: about a millisecond of the store."""
FAR_WITHIN_S: Final = 10.0
"""For all facilities: a state's 3,600 with a full day each take about seven seconds."""
PLACE_COMMAND: Final = "kiosk facility add HIP_ID --name … --latitude … --longitude …"


def log_level(settings: Settings) -> Iterator[Check]:
    if settings.log_level.lower() == "debug":
        yield Check("log", "warning", "the log level is debug: the log grows fast", "set KIOSK_LOG_LEVEL=info")


def insecure_lan(settings: Settings) -> Iterator[Check]:
    url = urlsplit(settings.public_url)
    if settings.insecure_lan and url.scheme == "http" and not is_loopback(url.hostname or ""):
        sentence = "KIOSK_INSECURE_LAN is set: anybody on the network can read passwords of staff"
        yield Check(
            "sign-in", "warning", sentence, "run `kiosk tls make`, set its two files, and remove KIOSK_INSECURE_LAN"
        )


def screens_sleep(settings: Settings) -> Iterator[Check]:
    url = urlsplit(settings.public_url)
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        sentence = "screens over http get no wake lock: a browser may let a television or tablet fall asleep"
        todo = "switch off sleep timer and screen saver on each device, or use https (`kiosk tls make`)"
        yield Check("screens", "warning", sentence, todo)


def trusted_proxies(settings: Settings) -> Iterator[Check]:
    by_proxy = urlsplit(settings.public_url).scheme == "https" and settings.tls_certificate is None
    if by_proxy and not settings.trusted_proxies:
        sentence = (
            "a proxy makes the TLS but is not named: all callers have its address and share one limit of sign-ins"
        )
        yield Check("proxy", "warning", sentence, "set KIOSK_TRUSTED_PROXIES to the address of the proxy")


def security_contact(settings: Settings) -> Iterator[Check]:
    if settings.security_contact is None and not is_loopback(urlsplit(settings.public_url).hostname or ""):
        sentence = "no contact for security reports: who finds a weakness cannot tell you (/.well-known/security.txt)"
        yield Check("contact", "warning", sentence, "set KIOSK_SECURITY_CONTACT=mailto:…")


def ops_port(settings: Settings) -> Iterator[Check]:
    if settings.ops_port and not is_loopback(settings.ops_host) and not settings.ops_addresses:
        sentence = f"everybody who reaches port {settings.ops_port} reads the operators' pages"
        yield Check("ops", "warning", sentence, "set KIOSK_OPS_ADDRESSES to the address of your monitoring")


def certificate(settings: Settings, now: datetime) -> Iterator[Check]:
    if settings.tls_certificate is None:
        return
    todo = "renew it (`kiosk tls make`, if that made it), then restart the service"
    try:
        end = ends_at(settings.tls_certificate)
    except (OSError, ValueError):
        yield Check("tls", "wrong", f"{settings.tls_certificate} cannot be read as a certificate", todo)
        return
    if end < now:
        yield Check("tls", "wrong", f"the certificate ended on {end:%Y-%m-%d}: browsers refuse the site", todo)
    elif end < now + timedelta(days=RENEW_DAYS):
        yield Check("tls", "warning", f"the certificate ends on {end:%Y-%m-%d}", todo)
    else:
        yield Check("tls", "ok", f"the certificate is valid until {end:%Y-%m-%d}")


async def places(store: Store) -> list[Check]:
    """Facilities without coordinates or with impossible ones, and those where nearly everybody counts as far."""
    registry, read, after = Registry(store), list[Facility](), ""
    while len(read) < FACILITIES_READ_MAX and (page := await registry.facilities(after, PAGE)):
        read += page
        after = page[-1].hip_id
    placeless = without_place(read)
    found = []
    if placeless:
        sentence = f"{len(placeless)} of {len(read)} facilities have no coordinates, or none that lie in India"
        sentence += f" ({_named(placeless)}): nobody there counts as near"
        found.append(Check("places", "warning", sentence, PLACE_COMMAND))
    return found + await far_away(OpdDesk(store), [one.hip_id for one in read if one.hip_id not in set(placeless)])


async def far_away(desk: OpdDesk, hips: list[str]) -> list[Check]:
    """Facilities where nearly every phone of the day was far: their coordinates are another place's.

    One facility is read at a time, and no more of it than a desk shows, so that scans do not wait. What cannot be read
    in time is left out. The order is by chance: the next run reads others.
    """
    found, examined, ends_s = list[str](), 0, time.monotonic() + FAR_WITHIN_S
    for hip in random.sample(hips, len(hips)):
        if time.monotonic() > ends_s:
            break
        examined += 1
        tickets = [*await desk.tickets(hip, limit=LIVING_READ), *await desk.ended(hip, limit=ENDED_READ)]
        if is_nearly_all_far(ticket.nearness for ticket in tickets):
            found.append(hip)
    if not found:
        return []
    some = "" if examined == len(hips) else f" of the {examined} that were read in {FAR_WITHIN_S:.0f} s"
    count = "1 facility" if len(found) == 1 else f"{len(found)} facilities"
    sentence = f"at {count}{some} nearly every phone was far away today ({_named(sorted(found))})"
    return [
        Check("places", "warning", sentence, f"compare the coordinates with a map of the hospital: {PLACE_COMMAND}")
    ]


def is_nearly_all_far(nearness: Iterable[Nearness]) -> bool:
    """Whether the phones that said where they are were far, but for a few, and were enough to tell."""
    counts = Counter(nearness)
    far, with_position = counts[Nearness.FAR], counts[Nearness.FAR] + counts[Nearness.NEAR]
    return with_position >= FAR_AT_LEAST and far >= FAR_SHARE * with_position


def _named(hips: list[str]) -> str:
    return ", ".join(hips[:NAMED_MAX]) + (" and others" if len(hips) > NAMED_MAX else "")


async def closed_days(settings: Settings, store: Store) -> list[Check]:
    """Days that were sealed with another key ring. Raises KeysUnreadable."""
    disk = KeysOnDisk(settings.data_dir)
    if not disk.path.exists():
        return []
    closed = new_seal(disk.load(), settings).closed_days(await DayKeys(store).all())
    if not closed:
        return []
    sentence = f"keyring.json does not open the profiles of {len(closed)} days: another key ring sealed them"
    return [
        Check(
            "keys", "warning", sentence, "restore keyring.json from its backup; without it these profiles stay closed"
        )
    ]


async def refused_as_far(settings: Settings) -> list[Check]:
    """Facilities whose rule refuses phones that are far, and refused nearly every one today. Their shares leave no
    ticket, so the archive tells. An archive that cannot be read has a row of its own.
    """
    database = new_archive(settings)
    today = datetime.now(ZoneInfo(settings.timezone)).date()

    def read() -> dict[str, Positions]:
        with database.reading() as connection:
            return positions(connection, today, today)

    try:
        counts = {} if database.missing else await asyncio.to_thread(read)
    except (ArchiveAway, ArchiveUnsuitable):
        return []
    finally:
        database.close()
    found = [hip for hip, one in counts.items() if one.nearly_all_refused]
    if not found:
        return []
    count = "1 facility" if len(found) == 1 else f"{len(found)} facilities"
    sentence = f"{count} refused nearly every phone today because it was far away ({_named(sorted(found))})"
    return [
        Check("places", "warning", sentence, f"compare the coordinates with a map of the hospital: {PLACE_COMMAND}")
    ]


async def archive(settings: Settings, store: Store) -> list[Check]:
    """Whether the archive's database can be used, and how far its role is behind."""
    database = new_archive(settings)
    try:
        if database.missing:
            return [Check("archive", "ok", "made at the first start")]
        await asyncio.to_thread(database.check)
    except ArchiveUnsuitable as unsuitable:
        return [Check("archive", "wrong", str(unsuitable))]
    except ArchiveAway as away:
        todo = f"start {database.shown}, or see KIOSK_ARCHIVE_URL; what happened waits in the store for 3 days"
        return [Check("archive", "warning", str(away), todo)]
    finally:
        database.close()
    state = await archive_state(store)
    if state is None:
        return [Check("archive", "warning", "no archive role has run", "start `kiosk serve` or `kiosk archive`")]
    if state.words:
        return [Check("archive", "warning", state.words, "see the log of the archive role")]
    return [Check("archive", "ok", f"{state.lag_s:.0f} s behind, in {database.shown}")]
