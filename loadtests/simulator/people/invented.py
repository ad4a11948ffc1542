"""Invented patients, the same ones for the same seed.

They resemble the patients of J&K: names of its peoples, one in five is sixty or older, one in seven has no ABHA number.
Their apps write the same value in every form that was seen in real messages (protocol B2): with dashes or without,
coordinates as numbers, as text, null or absent. A few have a name in its own script, or a photo: the documents mention
neither, but real messages have both.
"""

import base64
import struct
import zlib
from random import Random
from typing import Any

from msgspec import Struct

_WOMEN = (
    "Asha", "Sunita", "Kavita", "Rukhsana", "Shabnam", "Nusrat", "Mehvish", "Zoona", "Haleema", "Tsering", "Diskit",
    "Padma", "Gurpreet", "Manjit", "Neelam", "Pooja", "Rehana", "Sakina", "Ulfat", "Yasmeena", "Hajra", "Santosh",
)  # fmt: skip
_MEN = (
    "Ghulam", "Mohammad", "Abdul", "Bashir", "Farooq", "Javaid", "Showkat", "Tariq", "Rakesh", "Vijay", "Ashok",
    "Rohit", "Harpal", "Balwinder", "Stanzin", "Tashi", "Rigzin", "Nazir", "Irfan", "Sajad", "Suresh", "Kuldeep",
)  # fmt: skip
_FAMILIES = (
    "Bhat", "Dar", "Lone", "Wani", "Mir", "Rather", "Sheikh", "Malik", "Khan", "Sharma", "Gupta", "Singh", "Kaur",
    "Devi", "Koul", "Raina", "Pandita", "Angmo", "Dolma", "Namgyal", "Choudhary", "Gujjar", "Bakarwal",
    "Hussain", "Ahmad",
)  # fmt: skip
_OWN_SCRIPT = (
    "आशा देवी", "सुनीता शर्मा", "राकेश कुमार", "غلام محمد بٹ", "رخسانہ اختر", "بشیر احمد ڈار", "ਗੁਰਪ੍ਰੀਤ ਕੌਰ",
    "ਹਰਪਾਲ ਸਿੰਘ", "ཚེ་རིང་ཨང་མོ",
)  # fmt: skip
_PLACES = (
    ("Karan Nagar", "Srinagar", "190010"), ("Soura", "Srinagar", "190011"), ("Gandhi Nagar", "Jammu", "180004"),
    ("Bari Brahmana", "Samba", "181133"), ("Sheeri", "Baramulla", "193101"), ("Bijbehara", "Anantnag", "192124"),
    ("Tral", "Pulwama", "192123"), ("Mendhar", "Poonch", "185211"), ("Basohli", "Kathua", "184201"),
)  # fmt: skip
SENIOR = 60
"""Age in years from which patients get a better place without asking."""


class Patient(Struct, frozen=True, kw_only=True):
    """One invented person, and how this person's app writes values."""

    index: int
    name: str
    gender: str
    year: int
    month: int
    day: int
    abha_address: str
    abha_number: str
    """14 digits; empty for a person with an ABHA address only."""
    phone: str
    line: str
    district: str
    pincode: str
    dashed: bool
    place: str
    """How the app writes coordinates: ``number``, ``text``, ``null`` or ``absent``."""
    photo: bytes
    """A PNG; empty without a photo."""

    def profile(self) -> dict[str, Any]:
        """The ``profile`` of a share (protocol A5)."""
        number = self.abha_number
        if number and self.dashed:
            number = f"{number[:2]}-{number[2:6]}-{number[6:10]}-{number[10:]}"
        patient: dict[str, Any] = {
            "abhaNumber": number or None,
            "abhaAddress": self.abha_address,
            "name": self.name,
            "gender": self.gender,
            "dayOfBirth": str(self.day) if self.day else None,
            "monthOfBirth": str(self.month) if self.month else None,
            "yearOfBirth": str(self.year),
            "address": {
                "line": self.line, "district": self.district, "state": "Jammu and Kashmir", "pincode": self.pincode,
            },
            "phoneNumber": self.phone or None,
        }  # fmt: skip
        if self.photo:
            patient["kycPhoto"] = base64.b64encode(self.photo).decode()
        return {"patient": patient}

    def share(
        self, hip_id: str, context: str, *, at: tuple[float, float] | None = None, intent: str = "PROFILE_SHARE"
    ) -> dict[str, Any]:
        """The whole body of a share at this counter. ``at``: latitude and longitude, if the phone sends them."""
        meta: dict[str, Any] = {"hipId": hip_id, "context": context}
        if self.place != "absent":
            meta["hprId"] = None
            for name, value in zip(("latitude", "longitude"), at or (None, None), strict=True):
                known = value is not None and self.place != "null"
                meta[name] = (value if self.place == "number" else f"{value:.4f}") if known else None
        return {"intent": intent, "metaData": meta, "profile": self.profile()}


def invent(seed: int, index: int, *, this_year: int = 2026, cm_id: str = "sbx") -> Patient:
    """The ``index``-th patient of a seed. No other patient of the seed has this ABHA address or number."""
    draw = Random(f"patient:{seed}:{index}")
    woman = draw.random() < 0.54
    first, family = draw.choice(_WOMEN if woman else _MEN), draw.choice(_FAMILIES)
    line, district, pincode = draw.choice(_PLACES)
    only_year = draw.random() < 0.08
    return Patient(
        index=index,
        name=draw.choice(_OWN_SCRIPT) if draw.random() < 0.04 else f"{first} {family}",
        gender=("F" if woman else "M") if draw.random() > 0.01 else draw.choice("OTU"),
        year=min(this_year - _age(draw), this_year - 1),  # a day of this year may still lie ahead
        month=0 if only_year else draw.randint(1, 12),
        day=0 if only_year else draw.randint(1, 28),
        abha_address=f"{first}.{family}{index}s{seed}@{cm_id}".lower(),
        abha_number="" if draw.random() < 0.14 else _number(seed, index),
        phone="" if draw.random() < 0.03 else f"9{draw.randrange(10**9):09d}",
        line=f"{draw.randint(1, 400)} {line}",
        district=district,
        pincode=pincode,
        dashed=draw.random() < 0.7,
        place=draw.choice(("number", "text", "null", "absent")),
        photo=_photo(draw) if draw.random() < 0.02 else b"",
    )


def _age(draw: Random) -> int:
    """Age in years: children with a parent, many adults, one in five sixty or older."""
    group = draw.random()
    if group < 0.12:
        return draw.randint(0, 14)
    if group < 0.80:
        return draw.randint(15, SENIOR - 1)
    return min(101, SENIOR + int(draw.expovariate(1 / 9)))


def _number(seed: int, index: int) -> str:
    """A number that passes the Luhn check like real ones (protocol E1), in a block that is not in use: 91-0..."""
    body = f"910{seed % 1000:03d}{index % 10_000_000:07d}"
    return body + luhn_digit(body)


def luhn_digit(body: str) -> str:
    """The check digit that makes ``body`` with this digit pass the Luhn check."""
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def _photo(draw: Random) -> bytes:
    """A random grey image of 96 by 96: some 9 kB, because like a photo it does not compress well."""
    side = 96
    rows = b"".join(b"\0" + draw.randbytes(side) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
