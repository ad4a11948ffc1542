"""``python -m loadtests.delivery.receiver``: a hospital's software, which writes down what it is told and nothing else.

It takes webhooks (signatures verified by the library of Standard Webhooks) or HL7 over MLLP. Each event is one line of
its journal before it is acknowledged, so a receiver that is killed has lost nothing that it said yes to. Some events
are refused the first time. Prints ``ready PORT``; ends with SIGTERM. The secrets of the webhooks come by the standard
input: a line with path and secret for each.
"""

import argparse
import asyncio
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import hl7
import uvloop
from standardwebhooks import Webhook, WebhookVerificationError

from loadtests.delivery.http_receiver import headers, listen

REFUSED_ONE_IN: Final = 50
"""So many events are answered with an error when they come first: a tenth of a visit's tickets is tried again."""
BEGINS, ENDS = b"\x0b", b"\x1c"


class Refusals:
    """Which events are refused, once each: by their ids, so that a run repeats them."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def refuses(self, event_id: str) -> bool:
        if zlib.crc32(event_id.encode()) % REFUSED_ONE_IN or event_id in self._seen:
            return False
        self._seen.add(event_id)
        return True


class JournalFile:
    """One line for each event, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, line: bytes) -> None:
        os.write(self._file, line + b"\n")


def webhook_taker(journal: JournalFile, secrets: dict[bytes, Webhook]) -> Callable[[bytes, bytes, bytes], int]:
    """Verifies, writes down and acknowledges. A forged or unknown event is in the journal as a line that is no JSON."""
    refusals = Refusals()

    def take(path: bytes, head: bytes, body: bytes) -> int:
        fields = headers(head)
        try:
            secrets[path].verify(body, fields, json_parse=False)
        except (KeyError, WebhookVerificationError):
            journal.write(b"refused: not signed as agreed")
            return 401
        if refusals.refuses(fields["webhook-id"]):
            return 500
        journal.write(body)
        return 200

    return take


async def take_hl7(
    journal: JournalFile, refusals: Refusals, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Reads one connection's messages, and answers each with AA, or AE for some that come first."""
    try:
        while True:
            frame = await reader.readuntil(ENDS + b"\r")
            message = hl7.parse(frame.strip(BEGINS + ENDS + b"\r").decode() + "\r")
            refused = refusals.refuses(str(message.segment("MSH")[10]))
            if not refused:
                journal.write(frame.strip(BEGINS + ENDS + b"\r").replace(b"\r", b"\x1e"))
            answer = str(message.create_ack("AE" if refused else "AA")).encode()
            writer.write(BEGINS + answer + ENDS + b"\r")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def run(kind: str, port: int, journal: JournalFile) -> None:
    if kind == "webhooks":
        pairs = (line.split() for line in sys.stdin.buffer)
        secrets = {path: Webhook(secret.decode()) for path, secret in pairs}
        server, port = await listen(webhook_taker(journal, secrets), port)
    else:
        refusals = Refusals()
        server = await asyncio.start_server(
            lambda reader, writer: take_hl7(journal, refusals, reader, writer), "127.0.0.1", port
        )
        port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"ready {port}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.delivery.receiver")
    parser.add_argument("kind", choices=("webhooks", "hl7"))
    parser.add_argument("journal", type=Path)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    uvloop.run(run(args.kind, args.port, JournalFile(args.journal)))


if __name__ == "__main__":
    main()
