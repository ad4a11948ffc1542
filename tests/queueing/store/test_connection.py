"""The connection that all callers share, against a hostile server."""

import asyncio
import datetime
import random
import ssl
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from queueing.errors import InDoubt, StoreAway, StoreBusy, StoreRefused, StoreUnsuitable
from queueing.store.address import Address, Tls
from queueing.store.connection import SharedConnection
from tests.queueing.chaotic_server import Hostile, array, bulk, hostile

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def connected(
    server: Hostile,
    *,
    in_flight: int = 4096,
    timeout_s: float = 5.0,
    address: Address | None = None,
    vouched: Set[str] = frozenset(),
) -> AsyncIterator[SharedConnection]:
    address = address or Address(host="127.0.0.1", port=server.port)
    connection = SharedConnection(address, in_flight=in_flight, command_timeout_s=timeout_s, vouched=vouched)
    try:
        await connection.ready(10)
        yield connection
    finally:
        await connection.close()


async def outcome(connection: SharedConnection, text: str) -> str:
    """What one caller got: its own echo, the echo of another caller, or a failure."""
    try:
        reply = await connection.call("ECHO", text)
    except InDoubt:
        return "in doubt"
    except (StoreAway, StoreBusy):
        return "not sent"
    return "own" if reply == text.encode() else "foreign"


async def comes_back(connection: SharedConnection) -> None:
    await connection.ready(10)
    assert await connection.call("ECHO", "back") == b"back"


async def comes_back_after(connection: SharedConnection, *, generation: int) -> None:
    """Wait until the connection of this number ended and a new one was made."""
    async with asyncio.timeout(10):
        while connection.generation == generation or not connection.connected:  # noqa: ASYNC110 - it offers no event
            await asyncio.sleep(0.005)
    assert await connection.call("ECHO", "back") == b"back"


async def is_away_because_of(connection: SharedConnection, word: str) -> None:
    """Wait until its tries fail for this reason. On a busy machine the first ones may not get that far."""
    async with asyncio.timeout(10):
        while True:
            with pytest.raises(StoreAway) as away:
                await connection.ready(0.05)
            if word in str(away.value):
                return


@pytest.mark.parametrize("seed", range(6))
async def test_under_random_cuts_and_cancellations_no_call_gets_the_answer_of_another(seed: int) -> None:
    chance = random.Random(seed)
    async with hostile() as server:
        # The first connection is cut when some calls were answered and the others are in flight.
        server.budgets = chain([40], iter(lambda: chance.randrange(0, 6000), -1))
        async with connected(server) as connection:
            # On a busy machine our side may notice the cut while it sends, and drop the answers that came before it.
            first = await outcome(connection, f"{seed}-first")

            async def caller(number: int) -> str:
                await asyncio.sleep(chance.random() * 0.3)
                for attempt in range(40):
                    if connection.connected:
                        break
                    await asyncio.sleep(0.01 * attempt)
                return await outcome(connection, f"{seed}-{number}")

            callers = [asyncio.create_task(caller(number)) for number in range(1000)]
            await asyncio.sleep(0.1)
            for doomed in chance.sample(callers, 100):
                doomed.cancel()
            results = await asyncio.gather(*callers, return_exceptions=True)
            server.budgets = None
            # The connection that is open now may still be cut, by the budget it began with.
            async with asyncio.timeout(10):
                while await outcome(connection, f"back-{len(server.seen)}") != "own":  # noqa: ASYNC110 - it offers no event
                    await asyncio.sleep(0.01)
        texts = [command[1].decode() for command in server.seen]
        results_by_name = {f"{seed}-{number}": result for number, result in enumerate(results)}
    assert first == "own"
    assert "foreign" not in results
    assert results.count("in doubt") > 0
    assert len(texts) == len(set(texts)), "a command was sent twice"
    assert not [text for text in texts if results_by_name.get(text) == "not sent"], "what was called unsent had left"


async def test_calls_of_one_turn_leave_together() -> None:
    async with hostile() as server, connected(server) as connection:
        before = server.reads
        replies = await asyncio.gather(*[connection.call("ECHO", str(number)) for number in range(500)])
        assert replies == [str(number).encode() for number in range(500)]
        assert server.reads - before <= 3


async def test_an_answer_that_comes_in_single_bytes_is_read() -> None:
    async with hostile() as server, connected(server) as connection:
        server.byte_by_byte = True
        server.answer = lambda command: array(bulk(command[1]), b":7\r\n", b"$-1\r\n", b"*1\r\n+deep\r\n")
        replies = await asyncio.gather(*[connection.call("X", str(number)) for number in range(20)])
        assert replies == [[str(number).encode(), 7, None, [b"deep"]] for number in range(20)]


async def test_slow_answers_reach_their_callers_in_order() -> None:
    async with hostile() as server, connected(server) as connection:
        server.delay_s = 0.002
        results = await asyncio.gather(*[outcome(connection, str(number)) for number in range(100)])
        assert results == ["own"] * 100


async def test_a_silent_store_leaves_calls_in_doubt_and_the_connection_is_renewed() -> None:
    async with hostile() as server, connected(server, timeout_s=0.3) as connection:
        server.answer = lambda _words: None
        results = await asyncio.gather(*[outcome(connection, str(number)) for number in range(50)])
        assert results == ["in doubt"] * 50
        server.answer = lambda command: bulk(command[1])
        await comes_back(connection)
        assert connection.generation == 2


async def test_a_stall_of_our_own_process_is_not_blamed_on_the_store() -> None:
    async with hostile() as server, connected(server, timeout_s=0.4) as connection:
        import time

        call = asyncio.create_task(connection.call("ECHO", "patient"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(1.0)  # noqa: ASYNC251 - the stall is the subject
        assert await call == b"patient"


async def test_bytes_that_are_not_the_protocol_end_the_connection() -> None:
    async with hostile() as server, connected(server) as connection:
        server.answer = lambda _words: b"HTTP/1.1 400 Bad Request\r\n\r\n"
        results = await asyncio.gather(*[outcome(connection, str(number)) for number in range(10)])
        assert results == ["in doubt"] * 10
        server.answer = lambda command: bulk(command[1])
        await comes_back(connection)


async def test_an_answer_without_a_question_ends_the_connection() -> None:
    async with hostile() as server, connected(server) as connection:
        server.send_all(b"+who asked?\r\n")
        await comes_back_after(connection, generation=1)


async def test_one_answer_too_many_never_reaches_the_next_caller() -> None:
    async with hostile() as server, connected(server) as connection:
        server.answer = lambda command: bulk(command[1]) * 2
        assert await outcome(connection, "a") == "own"
        server.answer = lambda command: bulk(command[1])
        await comes_back_after(connection, generation=1)


async def test_an_answer_never_reaches_a_call_that_was_not_sent() -> None:
    async with hostile() as server, connected(server) as connection:
        wire = connection._wire
        assert wire is not None
        wire.pause_writing()
        call = connection.send(("ECHO", "still here"))
        server.send_all(b"+foreign\r\n")
        with pytest.raises(StoreAway) as failure:
            await call
        assert not isinstance(failure.value, InDoubt)
        assert server.seen == []


async def test_an_error_reaches_only_its_caller_and_repeats_no_argument() -> None:
    async with hostile() as server, connected(server) as connection:
        server.answer = lambda command: (
            b"-ERR unknown command 'X', with args beginning with: 'Asha Devi' \r\n"
            if command[0] == b"X"
            else bulk(command[1])
        )
        refused, echoed = await asyncio.gather(
            connection.call("X", "Asha Devi"), connection.call("ECHO", "a"), return_exceptions=True
        )
        assert isinstance(refused, StoreRefused)
        assert refused.code == "ERR"
        assert "Asha" not in str(refused)
        assert echoed == b"a"
        assert connection.generation == 1


async def test_a_push_message_in_between_is_ignored() -> None:
    async with hostile() as server, connected(server) as connection:
        server.answer = lambda command: b">2\r\n+invalidate\r\n*0\r\n" + bulk(command[1]) + b">1\r\n+x\r\n"
        assert await outcome(connection, "a") == "own"
        assert await outcome(connection, "b") == "own"


async def test_a_cancelled_caller_does_not_change_the_answers_of_others() -> None:
    async with hostile() as server, connected(server) as connection:
        server.delay_s = 0.001
        callers = [asyncio.create_task(outcome(connection, str(number))) for number in range(200)]
        await asyncio.sleep(0.02)
        for caller in callers[::2]:
            caller.cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert all(result == "own" for result in results[1::2])
        assert sum(isinstance(result, asyncio.CancelledError) for result in results) > 50
        assert await outcome(connection, "after") == "own"


async def test_beyond_the_bound_a_call_fails_at_once_and_nothing_is_sent() -> None:
    async with hostile() as server, connected(server, in_flight=10) as connection:
        results = await asyncio.gather(*[outcome(connection, str(number)) for number in range(15)])
        assert results == ["own"] * 10 + ["not sent"] * 5
        assert len(server.seen) == 10
        with pytest.raises(StoreBusy):
            connection.send_together([("ECHO", "x")] * 11)
        assert await outcome(connection, "room again") == "own"
        assert len(server.seen) == 11


async def test_a_server_that_reads_nothing_does_not_fill_our_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queueing.store.resp_protocol.MAX_UNSENT_BYTES", 4 << 20)
    async with hostile() as server, connected(server, timeout_s=30) as connection:
        server.deaf = True
        await connection.call("ECHO", "last heard")
        block = "x" * (1 << 20)
        waiting: list[asyncio.Future[object]] = []
        for _ in range(30):
            waiting.append(asyncio.ensure_future(connection.call("ECHO", block)))
            await asyncio.sleep(0)
        with pytest.raises(StoreBusy):
            await connection.call("ECHO", "one more")
        server.cut_all()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {InDoubt, StoreAway, StoreBusy}
        server.deaf = False
        await comes_back(connection)


async def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queueing.store.resp_protocol.MAX_REPLY_BYTES", 100_000)
    async with hostile() as server, connected(server, timeout_s=60) as connection:
        server.answer = lambda _words: b"$900000000\r\n" + b"x" * 200_000
        async with asyncio.timeout(20):
            assert await outcome(connection, "a") == "in doubt"


async def test_a_port_that_accepts_and_closes_is_away_and_calls_fail_fast() -> None:
    async with hostile() as server:
        server.close_at_accept = True
        connection = SharedConnection(Address(host="127.0.0.1", port=server.port))
        with pytest.raises(StoreAway):
            await connection.ready(0.5)
        with pytest.raises(StoreAway):
            await connection.call("ECHO", "a")
        assert 2 < server.accepted < 30, "it must come again, and not in a tight loop"
        server.close_at_accept = False
        await comes_back(connection)
        await connection.close()


async def test_a_loading_store_is_away_until_it_has_loaded() -> None:
    async with hostile() as server:
        server.greeting[b"PING"] = b"-LOADING Valkey is loading the dataset in memory\r\n"
        connection = SharedConnection(Address(host="127.0.0.1", port=server.port))
        with pytest.raises(StoreAway, match="LOADING"):
            await connection.ready(0.2)
        server.greeting.clear()
        await comes_back(connection)
        await connection.close()


@pytest.mark.parametrize(
    ("name", "greeting", "command"),
    [
        (b"INFO", bulk(b"redis_version:6.2.14\r\n"), "redis 6.2.14"),
        (b"INFO", bulk(b"redis_version:7.2.4\r\nvalkey_version:7.2.5\r\n"), "valkey 7.2.5"),
        (b"AUTH", b"-WRONGPASS invalid username-password pair\r\n", "WRONGPASS"),
        (b"SELECT", b"-ERR DB index is out of range\r\n", "ERR"),
        (b"PING", b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"PING", b"+HELLO\r\n", "does not speak"),
    ],
)
async def test_a_store_that_can_never_serve_us_is_refused_at_once(name: bytes, greeting: bytes, command: str) -> None:
    async with hostile() as server:
        server.greeting[name] = greeting
        address = Address(host="127.0.0.1", port=server.port, username="kiosk", password="s3cret", db=2)
        connection = SharedConnection(address)
        with pytest.raises(StoreUnsuitable, match=command) as refused:
            await connection.ready(10)
        assert "s3cret" not in str(refused.value)
        assert "s3cret" not in repr(address)
        await connection.close()


async def test_a_store_that_hides_everything_and_is_vouched_not_to_forget_is_used_and_promises_nothing() -> None:
    async with hostile() as server:
        for name in (b"INFO", b"CONFIG", b"CLIENT"):
            server.greeting[name] = b"-NOPERM this user has no permissions\r\n"
        async with connected(server, vouched={"noeviction"}) as connection:
            assert await outcome(connection, "a") == "own"
            assert not connection.facts.fsync_always
            assert connection.facts.version == ()


async def test_closing_ends_every_waiting_call() -> None:
    async with hostile() as server, connected(server) as connection:
        server.answer = lambda _words: None
        callers = [asyncio.create_task(outcome(connection, str(number))) for number in range(20)]
        await asyncio.sleep(0.05)
        await connection.close()
        assert await asyncio.gather(*callers) == ["in doubt"] * 20
        with pytest.raises(StoreAway):
            await connection.call("ECHO", "a")


async def test_a_call_with_arguments_that_cannot_be_written_fails_alone() -> None:
    async with hostile() as server, connected(server) as connection:
        with pytest.raises(TypeError):
            await connection.call("SET", None)  # type: ignore[arg-type] # the mistake is the subject
        with pytest.raises(UnicodeError):
            await connection.call("SET", "\ud800")
        assert await outcome(connection, "a") == "own"


async def test_over_tls_only_a_trusted_certificate_is_accepted(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with hostile(tls=context) as server:
        trusting = Address(host="127.0.0.1", port=server.port, tls=Tls(ca_certs=str(certificate)))
        async with connected(server, address=trusting) as connection:
            for number in range(20):
                assert await outcome(connection, str(number)) == "own"
            many = await asyncio.gather(*[outcome(connection, "x" * 3000 + str(number)) for number in range(200)])
            assert set(many) == {"own"}
        suspicious = SharedConnection(Address(host="127.0.0.1", port=server.port, tls=Tls()))
        await is_away_because_of(suspicious, "certificate")
        assert suspicious.generation == 0
        await suspicious.close()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, and its key."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"
