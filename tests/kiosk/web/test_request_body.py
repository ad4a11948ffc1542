"""Whatever arrives at an endpoint: the value asked for, or a refusal that repeats no word of it."""

import asyncio
import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.web.request_body import (
    DEPTH_MAX,
    BadBody,
    Encoded,
    NotJson,
    SenderGone,
    SlowBody,
    TooLarge,
    check_shape,
    parse,
    read_body,
    require_json,
    require_plain,
)
from kiosk.web.unread_body import DRAIN_LIMIT, answer_unread, drain

pytestmark = pytest.mark.anyio


class Form(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    age: int = 0


FORM = msgspec.json.Decoder(Form)
ANY = msgspec.json.Decoder()
CANARY = "zebra-7731"


def parts(*bodies: bytes, gone: bool = False) -> Any:
    """An ASGI receive that hands over these parts, and then waits for ever or says that the sender left."""
    messages = [
        {"type": "http.request", "body": body, "more_body": gone or at < len(bodies) - 1}
        for at, body in enumerate(bodies)
    ]
    if gone:
        messages.append({"type": "http.disconnect"})

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return receive


NASTY = {
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "brackets never closed": b"[" * 1000,
    "one level too deep": b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
    "quotes that never end": b'{"a":"' + b'\\"' * 200_000 + b"[" * 40,
    "broken UTF-8 in a value": b'{"name":"\xff\xfe"}',
    "broken UTF-8 in a field nobody reads": b'{"name":"a","other":"\xc3\x28"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "a number of 5,000 digits": b'{"name":"a","age":' + b"9" * 5000 + b"}",
    "a number of 500,000 digits": b'{"name":"a","age":' + b"9" * 500_000 + b"}",
    "an endless exponent": b'{"name":"a","age":1e999999}',
    "not a number": b'{"name":"a","age":NaN}',
    "infinity": b'{"name":"a","age":-Infinity}',
    "nothing": b"",
    "NUL": b"\x00",
    "two values": b'{"name":"a"}{"name":"b"}',
    "a comment": b'{"name":"a"/**/}',
    "single quotes": b"{'name':'a'}",
    "a control byte": b'{"name":"a\nb"}',
    "a wrong type": b'{"name":7}',
    "a missing field": b"{}",
    "an unknown field": f'{{"name":"a","{CANARY}":1}}'.encode(),
    "a list": b"[1]",
}


@pytest.mark.parametrize("body", NASTY.values(), ids=NASTY.keys())
def test_nasty_bodies_are_bad_bodies(body: bytes) -> None:
    with pytest.raises(BadBody) as refused:
        parse(body, FORM)
    assert CANARY not in str(refused.value)
    assert len(str(refused.value)) < 200
    assert refused.value.__cause__ is None


def test_the_deepest_allowed_body_is_read() -> None:
    body = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    check_shape(body)
    assert parse(body, ANY) == json.loads(body)


def test_brackets_in_text_and_side_by_side_are_not_depth() -> None:
    body = json.dumps({"text": "[{" * 500 + '"\\', "list": [{"a": [1]}] * 500}).encode()
    assert parse(body, ANY) == json.loads(body)


def test_the_last_of_two_equal_keys_counts() -> None:
    assert parse(b'{"name":"a","name":"b"}', FORM).name == "b"


def test_the_words_say_where_the_body_is_wrong() -> None:
    with pytest.raises(BadBody, match=r"\$\.age"):
        parse(b'{"name":"a","age":"x"}', FORM)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_a_bad_body(body: bytes) -> None:
    try:
        value = parse(body, ANY)
    except BadBody:
        return
    assert json.loads(body) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=60,
)


@settings(max_examples=200, deadline=None)
@given(json_values, st.booleans())
def test_honest_json_is_read_as_it_is(value: Any, ascii_only: bool) -> None:
    try:
        body = json.dumps(value, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return
    assert parse(body, ANY) == value


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_body_is_never_more_than_a_bad_body(data: st.DataObject) -> None:
    whole = bytearray(b'{"intent":"PROFILE_SHARE","profile":{"patient":{"name":"A","list":[1,[2,{"x":"\xc3\xa9"}]]}}}')
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4)) or b'"'
    with contextlib.suppress(BadBody):
        parse(bytes(whole), ANY)


@pytest.mark.parametrize(
    "kind", [b"application/json", b"application/json; charset=utf-8", b"Application/JSON", b"application/fhir+json"]
)
def test_json_by_any_of_its_names_is_taken(kind: bytes) -> None:
    require_json(kind)


@pytest.mark.parametrize(
    "kind",
    [None, b"", b"text/plain", b"application/x-www-form-urlencoded", b"text/json", b"application/jsonp", b"\xff"],
)
def test_everything_else_is_not_json(kind: bytes | None) -> None:
    with pytest.raises(NotJson):
        require_json(kind)


def test_a_sender_that_is_no_browser_may_leave_the_kind_out() -> None:
    require_json(None, missing_ok=True)
    with pytest.raises(NotJson):
        require_json(b"text/plain", missing_ok=True)


async def test_a_body_in_parts_is_joined() -> None:
    assert await read_body(parts(b"ab", b"", b"cd"), 4) == b"abcd"
    assert await read_body(parts(b"abcd"), 4) == b"abcd"


@pytest.mark.parametrize(
    ("bodies", "unread"), [((b"abcde",), False), ((b"abc", b"de"), False), ((b"abcde", b"f"), True)]
)
async def test_a_body_over_the_limit_is_refused_at_once(bodies: tuple[bytes, ...], unread: bool) -> None:
    with pytest.raises(TooLarge) as refused:
        await read_body(parts(*bodies), 4)
    assert refused.value.unread is unread


async def test_a_sender_that_stops_after_too_much_is_not_waited_for() -> None:
    messages = [{"type": "http.request", "body": b"abcde", "more_body": True}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else await asyncio.Event().wait()  # type: ignore[return-value]  # never

    async with asyncio.timeout(30):
        with pytest.raises(TooLarge):
            await read_body(receive, 4, deadline_s=600)


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"deflate, gzip", b"x"])
def test_a_compressed_body_is_refused(encoding: bytes) -> None:
    with pytest.raises(Encoded):
        require_plain(encoding)
    for plain in (None, b"", b"identity", b" Identity "):
        require_plain(plain)


async def test_a_body_that_does_not_come_is_slow() -> None:
    with pytest.raises(SlowBody):
        await read_body(parts(), 100, deadline_s=0.02)


async def test_a_reader_that_is_cancelled_is_cancelled_and_not_slow() -> None:
    reading = asyncio.create_task(read_body(parts(), 100, deadline_s=5))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_deadline_around_a_slow_body_keeps_working() -> None:
    async with asyncio.timeout(5) as outer:
        with pytest.raises(SlowBody):
            await read_body(parts(), 100, deadline_s=0.01)
        await asyncio.sleep(0)
    assert not outer.expired()


async def test_what_is_dropped_is_bounded_in_time_and_bytes() -> None:
    await drain(parts(b"x", b"y"), deadline_s=5)
    await drain(parts(), deadline_s=0.02)
    await drain(parts(b"x", gone=True), deadline_s=5)
    handed = 0

    async def receive() -> dict[str, Any]:
        nonlocal handed
        handed += 1
        return {"type": "http.request", "body": b"x" * 1024 * 1024, "more_body": True}

    await drain(receive)
    assert handed <= DRAIN_LIMIT // (1024 * 1024) + 1


async def test_an_answer_is_complete_only_when_the_rest_of_the_request_was_dropped() -> None:
    """The web server stops reading a request whose answer is complete."""
    for body, begun in ((b"no", [b"n"]), (b"", [])):
        sent: list[Any] = []
        receive = parts(b"x", b"y")
        unread: list[Any] = []

        async def receive_one(receive: Any = receive, sent: Any = sent, unread: Any = unread) -> Any:
            unread.append([message.get("body") for message in sent])
            return await receive()

        async def send(message: Any, sent: Any = sent) -> None:
            sent.append(message)

        await answer_unread(send, {"type": "http.response.start", "status": 413, "headers": []}, body, receive_one)
        assert unread == [[None, *begun] if begun else []] * 2
        assert b"".join(message.get("body", b"") for message in sent) == body
        assert [message.get("more_body") for message in sent] == [None, *([True] if body else []), False]


async def test_a_sender_that_leaves_is_gone() -> None:
    with pytest.raises(SenderGone):
        await read_body(parts(b"ab", gone=True), 100)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'\xef\xbb\xbf{"name":"a"}', "a"),
        (rb'{"name":"a\ud83d"}', "a\ufffd"),
        (rb'{"name":"\ude00\ud83d"}', "\ufffd\ufffd"),
        (rb'{"name":"\ud83d\ude00"}', "\U0001f600"),
        (rb'{"name":"\ud83d\ude00\udc00"}', "\U0001f600\ufffd"),
        (rb'{"name":"\\ud83d"}', "\\ud83d"),
    ],
)
def test_what_rfc_8259_lets_senders_write_is_read(body: bytes, name: str) -> None:
    assert parse(body, ANY) == {"name": name}
