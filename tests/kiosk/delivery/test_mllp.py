"""The MLLP client against engines in processes of their own."""

import asyncio
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.delivery.mllp import ANSWER_MAX, WITHIN_S, Answer, Verdict, send, verdict_of
from kiosk.exchange.hl7 import Occasion, Trigger, control_id, escape, message
from kiosk.security import own_ca
from tests.kiosk.exchange.shared_samples import profile, ticket
from tests.ports import free_port

pytestmark = pytest.mark.anyio
SERVER = Path(__file__).with_name("mllp_server.py")
MESSAGE = (
    "MSH|^~\\&|KIOSK|IN0110000001|||20261128||ADT^A04^ADT_A01|0A1B2C|P|2.5||||||UNICODE UTF-8\r"
    "PID|1||1^^^ABDM^HIN||अनीता देवी^^^^^^L\r"
).encode()


@contextmanager
def engine(mode: str, *arguments: str) -> Iterator[int]:
    """A running engine; its port."""
    process = subprocess.Popen([sys.executable, str(SERVER), mode, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=10)


async def sent(mode: str, within_s: float = 10) -> Answer:
    with engine(mode) as port:
        return await send("127.0.0.1", port, MESSAGE, "0A1B2C", within_s=within_s)


@pytest.mark.parametrize(
    ("mode", "verdict"),
    [
        ("accept", Verdict.ACCEPTED),
        ("commit", Verdict.ACCEPTED),
        ("error", Verdict.ERROR),
        ("reject", Verdict.REJECTED),
    ],
)
async def test_an_acknowledgement_is_read_with_its_text(mode: str, verdict: Verdict) -> None:
    answer = await sent(mode)
    assert answer.verdict is verdict
    assert answer.note == "got अनीता देवी^^^^^^L"


@pytest.mark.parametrize("name", ["محمد اقبال وانی", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", "राम | श्याम ^ \x0b\x1c\r & \\F\\ ~"])
@pytest.mark.parametrize("trigger", Trigger)
async def test_a_message_about_a_ticket_arrives_whole(name: str, trigger: Trigger) -> None:
    at = datetime.fromisoformat("2026-11-28T10:15:00+05:30")
    occasion = Occasion(event_id="8c1f-1-0", event_type="ticket.created", at=at)
    own = message(trigger, ticket(), profile(name=name), occasion)
    with engine("accept") as port:
        answer = await send("127.0.0.1", port, own, control_id("8c1f-1-0"))
    assert answer.verdict is Verdict.ACCEPTED
    assert answer.note == f"got {escape(name)}^^^^^^L"


@pytest.mark.parametrize("mode", ["another", "garbage", "no-msa", "empty", "odd-code", "long", "endless"])
async def test_what_does_not_acknowledge_this_message_is_no_yes(mode: str) -> None:
    answer = await sent(mode)
    assert answer.verdict is Verdict.UNREADABLE
    assert answer.note


async def test_line_feeds_and_a_missing_last_byte_are_taken() -> None:
    assert (await sent("line-feeds")).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(("mode", "within_s"), [("silence", 0.6), ("slow", 0.9), ("cut", 5), ("hang-up", 5)])
async def test_silence_ends_in_time(mode: str, within_s: float) -> None:
    with engine(mode) as port:
        begun = time.monotonic()
        answer = await send("127.0.0.1", port, MESSAGE, "0A1B2C", within_s=within_s)
        took_s = time.monotonic() - begun
    assert answer.verdict is Verdict.SILENT
    assert took_s < WITHIN_S, "it waited for as long as a message without a limit of its own"


async def test_nobody_listening_and_nobody_accepting_is_unreachable() -> None:
    assert (await send("127.0.0.1", free_port(), MESSAGE, "1")).verdict is Verdict.UNREACHABLE
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.create_connection(address, timeout=1)]
        for _ in range(2):  # until the backlog is full, a connection is made that nobody takes
            extra = socket.socket()
            extra.setblocking(False)
            extra.connect_ex(address)
            waiting.append(extra)
        answer = await send("127.0.0.1", address[1], MESSAGE, "1", within_s=0.4)
        for connection in waiting:
            connection.close()
    assert answer.verdict in {Verdict.UNREACHABLE, Verdict.SILENT}


async def test_two_messages_at_once_get_their_own_answers() -> None:
    with engine("accept") as port:
        other = MESSAGE.replace(b"0A1B2C", b"FFFF")
        answers = await asyncio.gather(
            send("127.0.0.1", port, MESSAGE, "0A1B2C"), send("127.0.0.1", port, other, "FFFF")
        )
    assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}


async def test_with_tls_the_certificate_must_have_the_name_and_be_trusted(tmp_path: Path) -> None:
    files = own_ca.make(tmp_path, ["hospital.example"], own_ca.utc_now())
    trusting = ssl.create_default_context(cafile=str(files.ca))
    with engine("accept", str(files.certificate), str(files.key)) as port:

        async def over_tls(context: ssl.SSLContext, name: str, within_s: float = 5) -> Answer:
            return await send("127.0.0.1", port, MESSAGE, "0A1B2C", tls=context, tls_name=name, within_s=within_s)

        assert (await over_tls(trusting, "hospital.example")).verdict is Verdict.ACCEPTED
        wrong_name = await over_tls(trusting, "other.example")
        assert wrong_name.verdict is Verdict.UNREACHABLE
        assert wrong_name.note.startswith("certificate")
        assert (await over_tls(ssl.create_default_context(), "hospital.example")).verdict is Verdict.UNREACHABLE
        plain = await send("127.0.0.1", port, MESSAGE, "0A1B2C", within_s=5)
    assert plain.verdict in {Verdict.SILENT, Verdict.UNREADABLE}
    with engine("accept") as port:
        assert (await over_tls(trusting, "hospital.example", 0.5)).verdict is Verdict.UNREACHABLE


@pytest.mark.parametrize("byte", [b"\x0b", b"\x1c"])
async def test_a_message_that_breaks_its_frame_is_never_sent(byte: bytes) -> None:
    with pytest.raises(ValueError, match="frames"):
        await send("127.0.0.1", 1, MESSAGE + byte, "1")


@given(st.binary(max_size=300))
def test_no_answer_raises(answer: bytes) -> None:
    assert verdict_of(answer, "0A1B2C").verdict is not Verdict.ACCEPTED
    assert verdict_of(b"\x0bMSH|" + answer, "0A1B2C").verdict is not Verdict.ACCEPTED


def test_the_receivers_text_is_bounded_and_has_no_control_characters() -> None:
    answer = verdict_of(b"\x0bMSH|^~\\&|\rMSA|AE|1|" + b"\x1b[31m" + b"a" * 1000, "1")
    assert answer.verdict is Verdict.ERROR
    assert len(answer.note) <= 120 < ANSWER_MAX
    assert "\x1b" not in answer.note
