"""A ticket and a profile, as other programs get them, to be changed by a test."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from kiosk.exchange.profile_json import ProfileJson
from kiosk.exchange.ticket_json import TicketJson

TICKET: dict[str, Any] = {
    "id": "20785-7", "token_number": "M-042", "facility": "IN0110000001", "queue": "medicine", "counter": "M1",
    "state": "called", "lane": "ordinary", "assurance": "screen", "nearness": "near", "source": "abha_app",
    "service_day": "2026-11-28", "ahead": None, "arrived_at": "2026-11-28T10:15:00.123+05:30",
    "called_at": "2026-11-28T10:20:00+05:30", "started_at": None, "ended_at": None, "calls": 1, "links": None,
}  # fmt: skip
PROFILE: dict[str, Any] = {
    "abha_number": "91750768217770", "abha_address": "anita@sbx", "name": "अनीता देवी", "gender": "F",
    "year_of_birth": 1990, "month_of_birth": 1, "day_of_birth": 15, "phone": "9812345678",
    "address": {"line": "मकान 7, लाल चौक", "district": "Srinagar", "state": "Jammu & Kashmir", "pincode": "190001"},
}  # fmt: skip


def ticket(**changes: object) -> TicketJson:
    return msgspec.convert(TICKET | changes, TicketJson)


def profile(**changes: object) -> ProfileJson:
    return msgspec.convert(PROFILE | changes, ProfileJson)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""Any text that JSON can carry."""
NAMES = st.one_of(
    TEXT,
    st.text('|^~\\&\r\n\x0b\x1c\x1b" HXFSTRE\u0085\u2028', max_size=20),
    st.sampled_from(
        ["अनीता देवी", "محمد اقبال", "ਗੁਰਪ੍ਰੀਤ ਕੌਰ", "O'Brien", "\\F\\", '""', "S/o राम|श्याम", "क्षत्रिय\u200dका"]
    ),
)
