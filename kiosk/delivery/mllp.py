"""Sends one HL7 v2 message over MLLP and waits for its acknowledgement.

MLLP frames a message with a vertical tab before it, and a file separator and a carriage return behind it. The caller
resolves and checks the address; this client connects to what it is given. An answer counts only when it
acknowledges the message that was sent (MSA-2). Nothing of an answer's text is logged: it may repeat the patient.
"""

import asyncio
import contextlib
import ssl
from enum import StrEnum
from typing import Final

from msgspec import Struct

BEFORE: Final = b"\x0b"
BEHIND: Final = b"\x1c\r"
ANSWER_MAX: Final = 4096
"""Bytes of an answer that are read. An acknowledgement with its error segment has some hundred."""
WITHIN_S: Final = 10.0
"""For connecting, sending and the answer together: what a webhook's receiver has as well."""
NOTE_MAX: Final = 120
"""Characters of the receiver's own text that are handed on."""
_CLOSE_S: Final = 0.5
"""How long we wait for the peer to close TLS. The answer is known by then."""


class Verdict(StrEnum):
    """What became of one message."""

    ACCEPTED = "accepted"
    """AA, or CA from a receiver that answers in enhanced mode."""
    ERROR = "error"
    """AE: the receiver could not process it."""
    REJECTED = "rejected"
    """AR: the receiver refused it."""
    SILENT = "silent"
    """Connected, and no whole answer came in time, or the connection was closed."""
    UNREADABLE = "unreadable"
    """The answer is no acknowledgement, acknowledges another message, or is too long."""
    UNREACHABLE = "unreachable"
    """No connection, or its certificate is not trusted."""


class Answer(Struct, frozen=True, kw_only=True):
    """A verdict and the reason beside it."""

    verdict: Verdict
    note: str = ""
    """The receiver's own text (MSA-3), or what went wrong; for an administrator."""


_VERDICTS: Final = {
    "AA": Verdict.ACCEPTED, "CA": Verdict.ACCEPTED, "AE": Verdict.ERROR, "CE": Verdict.ERROR,
    "AR": Verdict.REJECTED, "CR": Verdict.REJECTED,
}  # fmt: skip


async def send(
    address: str, port: int, message: bytes, control_id: str, *, tls: ssl.SSLContext | None = None,
    tls_name: str | None = None, within_s: float = WITHIN_S,
) -> Answer:  # fmt: skip
    """Send one message to an IP address. ``tls_name``: the name that the certificate must have.

    Raises nothing but cancellation. Raises ValueError for a message that would break its frame.
    """
    if BEFORE in message or BEHIND[:1] in message:
        raise ValueError("the message holds a byte that MLLP frames with")
    connected = False
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_connection(
                address, port, limit=ANSWER_MAX, ssl=tls, server_hostname=tls_name if tls else None
            )
            connected = True
            try:
                writer.write(BEFORE + message + BEHIND)
                await writer.drain()
                return verdict_of(await _answer(reader), control_id)
            finally:
                await _close(writer)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as trouble:
        if connected:
            return Answer(verdict=Verdict.SILENT, note=_silence(trouble))
        return Answer(verdict=Verdict.UNREACHABLE, note=type(trouble).__name__)
    except asyncio.LimitOverrunError:
        return Answer(verdict=Verdict.UNREADABLE, note=f"the answer is longer than {ANSWER_MAX} bytes")
    except ssl.SSLCertVerificationError as trouble:
        return Answer(verdict=Verdict.UNREACHABLE, note=f"certificate: {trouble.verify_message}"[:NOTE_MAX])
    except OSError as trouble:  # ssl.SSLError and socket.gaierror are among them
        verdict = Verdict.SILENT if connected else Verdict.UNREACHABLE
        return Answer(verdict=verdict, note=(trouble.strerror or type(trouble).__name__)[:NOTE_MAX])


def verdict_of(frame: bytes, control_id: str) -> Answer:
    """Read one answer, without the bytes behind it. The message that it must acknowledge is named by its MSH-10."""
    before, start, body = frame.partition(BEFORE)
    if not start or before.strip():
        return Answer(verdict=Verdict.UNREADABLE, note="the answer is not framed as MLLP")
    segments = body.decode("utf-8", "replace").replace("\n", "\r").split("\r")
    separator = segments[0][3:4]
    if not segments[0].startswith("MSH") or not separator:
        return Answer(verdict=Verdict.UNREADABLE, note="the answer does not begin with MSH")
    found = next((line for line in segments if line.startswith("MSA" + separator)), "")
    if not found:
        return Answer(verdict=Verdict.UNREADABLE, note="the answer has no MSA segment")
    _, code, acknowledged, text, *_ = [*found.split(separator), "", "", ""]
    if acknowledged.strip() != control_id:
        return Answer(verdict=Verdict.UNREADABLE, note="the answer acknowledges another message")
    verdict = _VERDICTS.get(code.strip(), Verdict.UNREADABLE)
    shown = "".join(char if char.isprintable() else " " for char in text[:NOTE_MAX]).strip()
    return Answer(verdict=verdict, note=shown if verdict is not Verdict.UNREADABLE else "MSA-1 is no verdict")


async def _answer(reader: asyncio.StreamReader) -> bytes:
    frame = await reader.readuntil(BEHIND[:1])
    if len(frame) > ANSWER_MAX:
        raise asyncio.LimitOverrunError("too long", len(frame))
    return frame[:-1]


def _silence(trouble: Exception) -> str:
    if isinstance(trouble, TimeoutError):
        return "no answer in time"
    return "the connection was closed without an answer"


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await writer.wait_closed()
