"""Lakhs of patients: shares as ready bytes, made in a microsecond or two each.

A few hundred invented people are the templates (name, age, address, how their app writes things). Each share puts its
own ABHA number and address into one of them, so every share is another person. A request id contains the run, the
facility and the share's number, so a reader of an answer knows its share without a list.
"""

import json as plain_json
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from loadtests.simulator.people.invented import invent, luhn_digit

TEMPLATES: Final = 500
"""Different templates. A larger crowd repeats them with other ABHA numbers."""
_HIP, _TEXT, _NUMBER, _ADDRESS = "@hip@", "@text@", "@number@", "@address@"


class Share(Struct, frozen=True):
    """One share before it is encoded. ``facility`` is an index into the run's own list."""

    index: int
    facility: int


class Crowd:
    """The shares of one run. Runs with different ``run`` (32 bits) share no person and no request id."""

    def __init__(self, *, seed: int, run: int, text: str = "M1", cm_id: str = "sbx") -> None:
        self.run = run
        self.text = text
        self._cm_id = cm_id
        self._templates = [_template(seed, number) for number in range(TEMPLATES)]

    def request_id(self, share: Share) -> str:
        """A UUID: run, facility, index."""
        return f"{self.run:08x}-{share.facility:04x}-4000-8000-{share.index:012x}"

    def address(self, index: int) -> str:
        """ABHA address of this person."""
        return f"p{index}.r{self.run:x}@{self._cm_id}"

    def body(self, share: Share, hip: str) -> bytes:
        """The share's JSON."""
        template = self._templates[share.index % TEMPLATES]
        wants = {b"hip": hip.encode(), b"text": self.text.encode(), b"address": self.address(share.index).encode()}
        if template.numbered:
            wants[b"number"] = self._number(share.index).encode()
        return template.body % wants

    def _number(self, index: int) -> str:
        """14 digits that pass the Luhn check, in a block of numbers that is not in use."""
        body = f"910{(self.run * 7_919_993 + index) % 10**10:010d}"
        return body + luhn_digit(body)


class _Template(Struct, frozen=True):
    body: bytes
    numbered: bool


def read_request_id(request_id: str) -> tuple[int, Share] | None:
    """Run and share of a request id; None when the id is not ours."""
    parts = request_id.split("-")
    if len(parts) != 5 or parts[2] != "4000" or parts[3] != "8000":
        return None
    try:
        return int(parts[0], 16), Share(int(parts[4], 16), int(parts[1], 16))
    except ValueError:
        return None


def _template(seed: int, number: int) -> _Template:
    """One invented person as a body with gaps. It has no photo, as today's shares have none (protocol B2)."""
    patient = replace(invent(seed, number), photo=b"")
    numbered = bool(patient.abha_number)
    share = patient.share(_HIP, _TEXT, at=(34.0801, 74.7902))
    share["profile"]["patient"] |= {"abhaNumber": _NUMBER if numbered else None, "abhaAddress": _ADDRESS}
    text = plain_json.dumps(share, ensure_ascii=False, separators=(",", ":")).replace("%", "%%")
    for mark in (_HIP, _TEXT, _NUMBER, _ADDRESS):
        text = text.replace(mark, f"%({mark.strip('@')})b")
    return _Template(text.encode(), numbered)
