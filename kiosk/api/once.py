"""Requests with an Idempotency-Key: the same key and body get the same answer for a day, another body gets 422."""

import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

import msgspec
from litestar import Response
from msgspec import Struct

from kiosk.api.bodies import JSON, wrong_field
from kiosk.api.errors import InProgress, OtherBody
from kiosk.api.guards import ApiRequest, Caller
from queueing.idempotency import Idempotency

HEADER: Final = "Idempotency-Key"
_FORM: Final = re.compile(r"[\x21-\x7e]{1,255}")
_FINGERPRINT_BYTES: Final = 16

Work = Callable[[], Awaitable[Response[bytes]]]


class SavedAnswer(Struct, frozen=True, array_like=True):
    """An answer as it is kept. Answers hold tickets and no word of a person."""

    status: int
    body: bytes


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(SavedAnswer).decode


async def once(
    idempotency: Idempotency, request: ApiRequest, caller: Caller, body: bytes, work: Work
) -> Response[bytes]:  # fmt: skip
    """The answer of ``work``, or the one that the same request got before. Refusals are not kept."""
    key = key_of(request)
    if not key:
        return await work()
    name = f"{request.url.path}\0{key}"
    fingerprint = sha256(body).digest()[:_FINGERPRINT_BYTES]
    earlier = await idempotency.claim(caller.hip, caller.login, name, fingerprint)
    if earlier is not None:
        if earlier.fingerprint != fingerprint:
            raise OtherBody("This Idempotency-Key came with another body before: use a new key for a new request.")
        if not earlier.answer:
            raise InProgress("The first request with this Idempotency-Key is not answered yet. Send it again.")
        saved = _unpack(earlier.answer)
        return Response(saved.body, status_code=saved.status, media_type=JSON, headers={"Idempotency-Replayed": "true"})
    try:
        answered = await work()
    except BaseException:
        await idempotency.release(caller.hip, caller.login, name)
        raise
    await idempotency.keep(
        caller.hip, caller.login, name, _pack(SavedAnswer(answered.status_code or 200, answered.content or b""))
    )
    return answered


def key_of(request: ApiRequest) -> str:
    """The request's Idempotency-Key; empty without one. Raises WrongValue for one that is no key."""
    key = request.headers.get(HEADER, "")
    if key and not _FORM.fullmatch(key):
        raise wrong_field(HEADER, "1 to 255 visible characters of ASCII")
    return str(key)
