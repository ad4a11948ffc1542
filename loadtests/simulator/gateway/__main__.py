"""``python -m loadtests.simulator.gateway``: the simulated gateway as a separate process.

Prints one line of JSON with its address and its clients when it accepts calls. Ends on SIGTERM, on SIGINT, and when the
process that started it ends.
"""

import argparse
import asyncio
import os
import secrets
import signal
import sys
from pathlib import Path

import uvloop
from msgspec import json

from loadtests.simulator.gateway.control import Control
from loadtests.simulator.gateway.core import Gateway, GatewaySettings
from loadtests.simulator.gateway.hospital_side import HospitalSide
from loadtests.simulator.gateway.office import Office
from loadtests.simulator.gateway.phone_side import PhoneSide

SANDBOX_ISSUER = "https://dev.abdm.gov.in/auth/realms/central-registry"
"""The ``iss`` of all 168 captured tokens (protocol D3)."""
PARENT_LOOKED_AT_S = 0.5


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.simulator.gateway", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--seed", type=int, default=7, help="decides keys and faults")
    parser.add_argument(
        "--bridge-url", default="http://127.0.0.1:8000", help="where callbacks go (default %(default)s)"
    )
    parser.add_argument("--issuer", default=SANDBOX_ISSUER, help="iss of every token (default %(default)s)")
    parser.add_argument("--cm-id", default="sbx", help="the X-CM-ID to accept (default %(default)s)")
    parser.add_argument("--client-id", default="SBX_000000", help="client id of the bridge (default %(default)s)")
    parser.add_argument("--app-id", default="PHR_SIMULATED", help="client id of the phones (default %(default)s)")
    parser.add_argument("--token-s", type=int, default=1200, help="life of an access token (default %(default)s)")
    parser.add_argument(
        "--callback-token-s", type=int, default=600, help="life of a callback token (default %(default)s)"
    )
    parser.add_argument("--accept-unknown", action="store_true", help="accept answers to shares sent by a load test")
    parser.add_argument(
        "--remember", type=int, default=1_000_000, help="shares kept in the ledger (default %(default)s)"
    )
    parser.add_argument("--journal", type=Path, help="a file to which every answer to a share is appended")
    parser.add_argument("--outlive-parent", action="store_true", help="keep running when the starting process ends")
    parser.epilog = (
        "Secrets come from SIMULATOR_CLIENT_SECRET and SIMULATOR_APP_SECRET; else they are random and printed once."
    )
    return parser.parse_args(argv)


def settings(options: argparse.Namespace, secret: str, app_secret: str) -> GatewaySettings:
    """The gateway's settings from the command line."""
    return GatewaySettings(
        seed=options.seed, issuer=options.issuer, cm_id=options.cm_id, bridge_id=options.client_id,
        token_s=options.token_s,
        callback_token_s=options.callback_token_s, accept_unknown=options.accept_unknown, remember=options.remember,
        journal=options.journal,
        secrets={options.client_id: secret, options.app_id: app_secret},
    )  # fmt: skip


def furnished(gateway: Gateway) -> Gateway:
    """The gateway with all its endpoints."""
    Office(gateway)
    PhoneSide(gateway)
    HospitalSide(gateway)
    Control(gateway)
    return gateway


def _announce(gateway: Gateway, options: argparse.Namespace, drawn: dict[str, str]) -> None:
    host, port = gateway.server.address
    line = {
        "ready": True, "url": f"http://{host}:{port}", "pid": os.getpid(), "seed": options.seed,
        "issuer": options.issuer,
        "cm_id": options.cm_id, "client_id": options.client_id, "app_id": options.app_id, **drawn,
    }  # fmt: skip
    sys.stdout.write(json.encode(line).decode() + "\n")
    sys.stdout.flush()


async def _gone(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110  no event tells of a parent's end
        await asyncio.sleep(PARENT_LOOKED_AT_S)


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal or the end of the parent."""
    parent = os.getppid()
    variables = {"client_secret": "SIMULATOR_CLIENT_SECRET", "app_secret": "SIMULATOR_APP_SECRET"}
    drawn = {name: secrets.token_urlsafe(24) for name, variable in variables.items() if not os.environ.get(variable)}
    known = {name: drawn.get(name) or os.environ[variable] for name, variable in variables.items()}
    gateway = furnished(
        Gateway(settings(options, known["client_secret"], known["app_secret"]), bridge_url=options.bridge_url)
    )
    await gateway.server.listen(options.host, options.port)
    ends = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ends.set)
    gateway.server.keep(gateway.watch())
    _announce(gateway, options, drawn)
    waits: list[asyncio.Future[object]] = [asyncio.ensure_future(ends.wait())]
    if not options.outlive_parent:
        waits.append(asyncio.ensure_future(_gone(parent)))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await gateway.server.stop()
    await gateway.courier.close()
    if gateway.ledger.journal is not None:
        gateway.ledger.journal.close()


def main() -> None:
    """The command."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(arguments(sys.argv[1:])))


if __name__ == "__main__":
    main()
