"""``kiosk doctor``: checks everything that an installation needs, and says what to do about each fault."""

import asyncio
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import click
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from kiosk.abdm import connection
from kiosk.abdm.access_token import TIMESTAMP_REFUSED, session_step
from kiosk.abdm.errors import GatewayError
from kiosk.abdm.jwks import read_key_set
from kiosk.cli import doctor_rows
from kiosk.cli.running import CommandFailed, as_json, opened, tell
from kiosk.health import DISK_ROOM_BYTES, STORE_DURABLE, clock_ahead_words, promised
from kiosk.observability.checks import Check, Verdict
from kiosk.observability.clocks import SET_RIGHT, Clocks, far_words, is_synchronized
from kiosk.security.keyring_file import KeysOnDisk, KeysUnreadable
from kiosk.security.own_ca import utc_now
from kiosk.services.process import store_place
from kiosk.services.relay import new_gateway
from kiosk.settings import Settings, load, secret_files, unknown_names
from kiosk.settings.table import KNOWN_ISSUERS
from kiosk.settings.values import is_loopback, is_readable_on_the_way
from queueing import clock_health
from queueing.embedded.data_folder import readable_by_others
from queueing.embedded.journal import set_aside
from queueing.errors import QueueingError
from queueing.outbox import Outbox
from queueing.registry import Registry
from queueing.store.store import Store, store_time_s

CLOCK_WARN_S: Final = 1.0
"""Incident reports and signed codes both need the right second."""
DISK_WARN_BYTES: Final = 2 << 30
"""A journal may need twice its space during a rewrite."""
MEMORY_WARN_BYTES: Final = 1 << 30
FILES_WARN: Final = 4096
GATEWAY_WITHIN_S: Final = 5.0
ROTATE_DAYS: Final = 180


Finding = Check


@click.command()
@as_json
def doctor(json: bool) -> None:
    """Check settings, store, durability promise, clock, gateway and disk; say what to do."""
    findings = asyncio.run(_examine())
    wrong = sum(finding.verdict == "wrong" for finding in findings)
    tell(json, findings, *(line for finding in findings for line in _lines(finding)))
    if wrong:
        raise CommandFailed(f"{wrong} of {len(findings)} checks are wrong")


def _lines(finding: Finding) -> Iterator[str]:
    mark = {"ok": "ok     ", "warning": "WARNING", "wrong": "WRONG  "}[finding.verdict]
    yield f"{mark}  {finding.what:<9} {finding.words}"
    if finding.todo:
        yield f"{'':19}→ {finding.todo}"


async def _examine() -> list[Finding]:
    # A wrong setting ends the command with its one line: nothing can be checked without settings.
    settings = load()
    findings = [
        *_settings(settings),
        *_risks(settings),
        *_machine(settings),
        *_keys(settings),
        *await _gateway(settings),
    ]
    try:
        async with opened(settings) as store:
            findings += await _store(settings, store)
            findings += await _connection(settings, store)
            findings += await _data(settings, store)
    except QueueingError as away:
        todo = "check KIOSK_REDIS_URL and that server" if settings.redis_url else "see valkey.log in the data folder"
        findings.append(Finding("store", "wrong", str(away) or type(away).__name__, todo))
    return findings


def _settings(settings: Settings) -> Iterator[Finding]:
    for name in unknown_names():
        yield Finding("settings", "warning", f"{name} is no setting and is ignored", "check its spelling")
    url = urlsplit(settings.public_url)
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        yield Finding(
            "settings", "wrong", f"people reach {settings.public_url} without encryption",
            "put a proxy with TLS in front and set KIOSK_PUBLIC_URL=https://…",
        )  # fmt: skip
    elif is_loopback(url.hostname or ""):
        yield Finding(
            "settings", "warning", f"QR codes and links carry {settings.public_url}, which only this machine reaches",
            "set KIOSK_PUBLIC_URL to the address that phones reach",
        )  # fmt: skip
    else:
        yield Finding("settings", "ok", f"people reach {settings.public_url}")


def _risks(settings: Settings) -> Iterator[Finding]:
    yield from doctor_rows.log_level(settings)
    yield from doctor_rows.insecure_lan(settings)
    yield from doctor_rows.screens_sleep(settings)
    yield from doctor_rows.trusted_proxies(settings)
    yield from doctor_rows.security_contact(settings)
    yield from doctor_rows.ops_port(settings)
    yield from doctor_rows.certificate(settings, utc_now())


async def _data(settings: Settings, store: Store) -> list[Finding]:
    found = await doctor_rows.places(store)
    found += await doctor_rows.refused_as_far(settings)
    found += await doctor_rows.archive(settings, store)
    with suppress(KeysUnreadable):  # has a row of its own
        found += await doctor_rows.closed_days(settings, store)
    return found


def _machine(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    free = shutil.disk_usage(folder if folder.exists() else "/").free
    verdict: Verdict = "wrong" if free < DISK_ROOM_BYTES else "warning" if free < DISK_WARN_BYTES else "ok"
    yield Finding(
        "disk", verdict, f"{free >> 20} MiB free for {settings.data_dir}", "" if verdict == "ok" else "make room"
    )
    if settings.data_dir.exists() and settings.data_dir.stat().st_mode & 0o077:
        yield Finding("disk", "wrong", f"others may enter {settings.data_dir}", f"chmod 700 {settings.data_dir}")
    memory = _memory_bytes()
    if memory is not None and memory < MEMORY_WARN_BYTES:
        yield Finding("memory", "warning", f"{memory >> 20} MiB available", "1 GiB serves a district")
    yield from _journal(settings)
    yield from _private(settings)
    yield _open_files()
    yield _clock_is_synchronized()


def _journal(settings: Settings) -> Iterator[Finding]:
    """Parts that were cut from the embedded store's journal, after a power cut or by ``kiosk store repair``."""
    if aside := set_aside(settings.data_dir):
        yield Finding(
            "journal", "warning", f"its unfinished end was set aside {len(aside)} times, last in {aside[-1]}",
            "check the power supply and the disk; then delete the files",
        )  # fmt: skip


def _private(settings: Settings) -> Iterator[Finding]:
    """Who runs this, and who else may read its secrets."""
    if os.geteuid() == 0:
        todo = "create a user for it and run it as that user: see deploy/kiosk.service"
        yield Finding("user", "warning", "the kiosk runs as root: an attacker in it controls the whole machine", todo)
    if settings.data_dir.exists() and (found := readable_by_others(settings.data_dir)):
        sentence = f"{len(found)} files in the data folder may be read by others, {found[0].name} first"
        yield Finding("files", "wrong", sentence, f"chmod -R go= {settings.data_dir}")
    for name, path in secret_files().items():
        if path.exists() and path.stat().st_mode & 0o007:
            yield Finding("files", "wrong", f"others may read the file that {name} names", f"chmod o= {path}")
    if settings.redis_url and is_readable_on_the_way(settings.redis_url):
        yield Finding("store", "warning", "everything sent to the store can be read on its network", "use rediss://")


def _memory_bytes() -> int | None:
    try:
        with open("/proc/meminfo") as file:
            found = next(line for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return int(found.split()[1]) * 1024


def _open_files() -> Finding:
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= FILES_WARN:
        return Finding("sockets", "ok", f"up to {'any number of' if hard < 0 else hard} open files")
    return Finding("sockets", "warning", f"at most {hard} open files: each screen takes one", "raise LimitNOFILE")


def _clock_is_synchronized() -> Finding:
    if sys.platform != "linux":
        return Finding("clock", "ok", "not checked on this system")
    if not is_synchronized():
        todo = "install chrony (CERT-In: with the servers of NIC or NPL); in a container install it on the host"
        return Finding("clock", "warning", "no time service (NTP) keeps this machine's clock right", todo)
    return Finding("clock", "ok", "a time service keeps it right")


def _keys(settings: Settings) -> Iterator[Finding]:
    disk = KeysOnDisk(settings.data_dir)
    if not disk.path.exists():
        yield Finding("keys", "ok", "made at the first start")
        return
    try:
        ring = disk.load()
    except KeysUnreadable as broken:
        yield Finding("keys", "wrong", str(broken))
        return
    days = int(time.time() - ring.signing.since_s) // 86_400
    if days > ROTATE_DAYS:
        yield Finding("keys", "warning", f"{ring.signing.kid} has signed for {days} days", "kiosk keys rotate")
    else:
        yield Finding("keys", "ok", f"{ring.signing.kid} signs since {days} days")


async def _gateway(settings: Settings) -> list[Finding]:
    gateway = new_gateway(settings)
    if gateway is None:
        todo = "set KIOSK_GATEWAY_CLIENT_ID and KIOSK_GATEWAY_CLIENT_SECRET_FILE to connect"
        return [Finding("gateway", "ok", f"ABDM is off, local queues work ({todo})")]
    try:
        async with asyncio.timeout(GATEWAY_WITHIN_S):
            keys = read_key_set(await gateway.certs())
        sentence = f"{settings.gateway_url} publishes {len(keys)} usable keys"
        found = [Finding("gateway", "ok" if keys else "wrong", sentence)]
        found += _issuer(settings, gateway.token.issuer)
    except (GatewayError, TimeoutError) as failure:
        todo = "check KIOSK_GATEWAY_URL, the credentials, and whether this machine reaches the internet"
        why = gateway.token.failure or type(failure).__name__
        if why.endswith(TIMESTAMP_REFUSED):
            todo = session_step(why)
        found = [Finding("gateway", "wrong", f"{settings.gateway_url}: {why}", todo)]
    finally:
        await gateway.close()
    return found


def _issuer(settings: Settings, issuer: str) -> Iterator[Finding]:
    """Our own access token comes from the issuer that signs the callbacks."""
    if issuer and issuer not in settings.gateway_issuers:
        named = settings.gateway_issuers != KNOWN_ISSUERS
        sentence = f"the gateway's tokens come from {issuer}"
        todo = "add it to KIOSK_GATEWAY_ISSUER: callbacks are refused without it" if named else ""
        yield Finding("issuer", "wrong" if named else "ok", sentence, todo)


async def _connection(settings: Settings, store: Store) -> list[Finding]:
    """What the running processes wrote about callbacks, and the bridge as the gateway knows it."""
    gateway = new_gateway(settings)
    if gateway is None:
        return []
    now_s = time.time()
    try:
        found = list(connection.checks(connection.merged(await connection.collect(store, now_s)), now_s))
        async with asyncio.timeout(GATEWAY_WITHIN_S):
            found += await connection.bridge_checks(gateway, Registry(store), settings.public_url)
    except TimeoutError:
        found.append(Finding("bridge", "warning", "the gateway did not send the services of the bridge in time"))
    finally:
        await gateway.close()
    return found


async def _gateway_ahead_s(settings: Settings) -> float | None:
    """How far the gateway's clock is ahead of ours, by the ``Date`` of any answer, which is rounded down. None with
    ABDM off, and when the gateway does not say it.
    """
    if not settings.abdm:
        return None
    try:
        async with ClientBuilder().no_proxy().base_url(settings.gateway_url).build() as client:
            async with asyncio.timeout(GATEWAY_WITHIN_S):
                answer = await client.get("/").build().send()
        return parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5 - time.time()
    except (PyreqwestError, TimeoutError, KeyError, ValueError, TypeError):
        return None


async def _clocks(settings: Settings, store: Store) -> Finding:
    """This machine's clock, the store's and the gateway's, beside each other."""
    ahead_s = await _gateway_ahead_s(settings)
    store_s = await store_time_s(store)
    own_s = time.time()
    clocks = Clocks(
        here=socket.gethostname(), own_s=own_s, store=store_place(settings), store_s=store_s,
        gateway_s=None if ahead_s is None else own_s + ahead_s, synchronized=is_synchronized(),
    )  # fmt: skip
    if clocks.wrong:
        return Finding("clock", "wrong", clocks.words, clocks.todo)
    beside = {"the store's": own_s - store_s, "the gateway's": -(ahead_s or 0)}
    off = {name: apart_s for name, apart_s in beside.items() if abs(apart_s) > CLOCK_WARN_S + 0.5}
    if off:
        sentence = ", ".join(f"{far_words(apart_s)}, beside {name}" for name, apart_s in off.items())
        return Finding("clock", "warning", f"this machine's is {sentence}", f"compare with a watch: {SET_RIGHT}")
    known = "the store's" if ahead_s is None else "the store's and the gateway's"
    return Finding("clock", "ok", f"agrees with {known}")


async def _store(settings: Settings, store: Store) -> list[Finding]:
    wanted, promise = promised(settings.redis_url), store.promise
    meanings = {
        "disk": "a 202 survives kill -9 of everything",
        "replica": "a 202 is on two machines",
        "none": "a 202 may be lost",
    }
    found = [Finding("promise", "ok", f"{promise}: {meanings[promise]}")]
    if promise == "none" or (wanted == "replica" and promise != "replica"):
        todo = f"on every node: {STORE_DURABLE}"
        found = [Finding("promise", "wrong", f"{promise}: {meanings[promise]}; {wanted} was expected", todo)]
    found.append(await _clocks(settings, store))
    if found[-1].verdict != "wrong" and (ahead_ms := await clock_health.clock_ran_ahead_ms(store)):
        todo = "see that the clock is right now, then: kiosk store heal-clock"
        found.append(Finding("clock", "warning", clock_ahead_words(ahead_ms), todo))
    if store.lone_shards:
        alone = f"{store.lone_shards} shards continue without a replica"
        found.append(Finding("promise", "warning", alone, "bring the replicas back"))
    owner = "the operator's own" if settings.redis_url else "embedded"
    found.append(Finding("store", "ok", f"{owner}, {await Registry(store).count()} facilities"))
    pending = await Outbox(store, f"doctor-{socket.gethostname()}-{os.getpid()}").backlog()
    if settings.abdm and pending:
        found.append(Finding("outbox", "warning" if pending > 100 else "ok", f"{pending} replies wait for the gateway"))
    return found
