"""Our HL7 messages, read back by two libraries that know nothing of us."""

import re
from datetime import datetime
from typing import Any

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message
from hl7apy.parser import parse_message
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kiosk.exchange.hl7 import CONTROL_ID_MAX, Occasion, Trigger, control_id, escape, message, trigger_of
from kiosk.exchange.profile_json import ProfileJson
from kiosk.exchange.ticket_json import TicketJson
from queueing.event_log import PUBLIC_KINDS
from tests.kiosk.exchange.shared_samples import NAMES, TEXT, profile, ticket

OCCASION = Occasion(
    event_id="8c1f-1764300000000-0", event_type="ticket.created", queue_name="میڈیسن",
    at=datetime.fromisoformat("2026-11-28T10:15:00.123+05:30"),
)  # fmt: skip
UNESCAPED = {"E": "\\", "F": "|", "S": "^", "T": "&", "R": "~"}


def written(
    of: TicketJson | None = None, profile_of: ProfileJson | None = None, trigger: Trigger = Trigger.REGISTERED
) -> str:  # fmt: skip
    return message(trigger, of or ticket(), profile_of, OCCASION).decode()


def by_hl7(text: str, segment: str, field: int, repetition: int = 1, component: int = 1) -> str:
    """A value as the `hl7` library reads it."""
    return str(hl7.parse(text).extract_field(segment, 1, field, repetition, component) or "")


def by_hl7apy(text: str) -> Message:
    """The message as `hl7apy` reads it, after it compared it with its tables of v2.5."""
    read = parse_message(text, find_groups=False, validation_level=VALIDATION_LEVEL.STRICT)
    assert read.validate()
    return read


def raw(element: Any) -> str:
    """A value as hl7apy keeps it: as it travelled, without blanks around it. It lies in the lowest element."""
    while element.children:
        element = element.children[0]
    return unescaped(element.value.value or "").strip() if element.value else ""


def unescaped(value: str) -> str:
    """The escapes of chapter 2.7."""

    def character(found: re.Match[str]) -> str:
        code = found[1]
        return bytes.fromhex(code[1:]).decode("latin-1") if code.startswith("X") else UNESCAPED[code]

    return re.sub(r"\\([^\\]*)\\", character, value)


def test_a_registration_says_who_came_and_where() -> None:
    text = written(profile_of=profile())
    assert by_hl7(text, "MSH", 9, component=2) == "A04"
    assert by_hl7(text, "MSH", 12) == "2.5"
    assert by_hl7(text, "MSH", 18) == "UNICODE UTF-8"
    assert by_hl7(text, "MSH", 7) == "20261128101500.123+0530"
    numbers = [[by_hl7(text, "PID", 3, number, part) for part in (1, 4, 5)] for number in (1, 2)]
    assert numbers == [["91750768217770", "ABDM", "HIN"], ["anita@sbx", "ABDM", "ABHA"]]
    assert by_hl7(text, "PID", 5) == "अनीता देवी"
    assert by_hl7(text, "PID", 7) == "19900115"
    assert by_hl7(text, "PID", 8) == "F"
    address = [by_hl7(text, "PID", 11, 1, part) for part in (1, 3, 4, 5, 6)]
    assert address == ["मकान 7, लाल चौक", "Srinagar", "Jammu & Kashmir", "190001", "IND"]
    assert by_hl7(text, "PID", 13) == "+919812345678"
    assert by_hl7(text, "PV1", 2) == "O"
    assert [by_hl7(text, "PV1", 3, 1, part) for part in (1, 2, 4)] == ["medicine", "M1", "IN0110000001"]
    assert by_hl7(text, "PV1", 19) == "20785-7"
    own = [by_hl7(text, "ZSS", field) for field in range(2, 17)]
    assert own == [
        "M-042", "20785-7", "medicine", "میڈیسن", "M1", "called", "ordinary", "screen", "near", "abha_app", "20261128",
        "", "1", "ticket.created", "8c1f-1764300000000-0",
    ]  # fmt: skip


@pytest.mark.parametrize("trigger", Trigger)
def test_every_message_keeps_the_structure_of_its_version(trigger: Trigger) -> None:
    text = written(profile_of=profile(), trigger=trigger)
    read = by_hl7apy(text)
    assert [segment.name for segment in read.children] == ["MSH", "EVN", "PID", "PV1", "ZSS"]
    assert read.evn.evn_1.value == trigger
    assert read.msh.msh_9.to_er7() == f"ADT^{trigger}^{'ADT_A09' if trigger is Trigger.CANCELLED else 'ADT_A01'}"
    assert text.endswith("\r")
    assert "\n" not in text


@given(NAMES, NAMES, NAMES)
def test_every_text_comes_back_as_it_was(name: str, line: str, number: str) -> None:
    text = of_texts(name, line, number)
    assert by_hl7(text, "PID", 5) == name
    assert by_hl7(text, "PID", 11) == line
    if number:
        assert by_hl7(text, "PID", 3, 3) == number
        assert by_hl7(text, "PV1", 50) == number


@given(NAMES, NAMES, NAMES)
@settings(deadline=None, max_examples=25, phases=[Phase.explicit, Phase.generate])  # a message takes it 0.2 s
def test_a_second_library_reads_the_same(name: str, line: str, number: str) -> None:
    read = by_hl7apy(of_texts(name, line, number))
    assert raw(read.pid.pid_5.pid_5_1.fn_1) == name.strip()
    assert raw(read.pid.pid_11.pid_11_1.sad_1) == line.strip()
    assert len(read.pid.pid_3) == (3 if number else 2)
    if number:
        assert raw(read.pid.pid_3[2].pid_3_1) == number.strip()


def of_texts(name: str, line: str, number: str) -> str:
    of = ticket(links={"patient_id": number, "visit_id": number, "url": None})
    address = {"line": line, "district": "", "state": "", "pincode": "1"}
    return written(of, profile(name=name, address=address))


@given(TEXT)
def test_an_escaped_text_holds_no_delimiter_and_no_control_character(text: str) -> None:
    escaped = escape(text)
    assert not set(escaped) & set("|^~&")
    assert not [char for char in escaped if char < " " or char == "\x7f"]
    assert unescaped(escaped) == text


def test_a_text_of_two_quotes_does_not_delete_the_field() -> None:
    assert escape('""') != '""'
    assert by_hl7(written(profile_of=profile(name='""')), "PID", 5) == '""'


@given(
    st.fixed_dictionaries(
        {
            "name": st.none() | NAMES,
            "gender": st.sampled_from([None, "M", "F", "O", "T", "D", "U"]),
            "year_of_birth": st.none() | st.integers(1900, 2100),
            "month_of_birth": st.none() | st.integers(1, 12),
        }
    )
)
@settings(deadline=None, max_examples=20)
def test_a_person_of_whom_little_is_known_is_a_whole_message(known: dict[str, object]) -> None:
    nothing = dict.fromkeys(("abha_number", "abha_address", "phone", "address"))
    text = written(profile_of=profile(**nothing, **known))
    read = by_hl7apy(text)
    assert read.pid.pid_3[0].to_er7() == "20785-7^^^KIOSK^PNT"
    assert read.pid.pid_8.value in {"M", "F", "O", "U"}
    assert re.fullmatch(r"(\d{4}(\d{2}(\d{2})?)?)?", by_hl7(text, "PID", 7))


def test_without_a_profile_nothing_of_the_person_is_in_the_message() -> None:
    text = written()
    assert by_hl7(text, "PID", 3) == "20785-7"
    assert by_hl7(text, "PID", 5, component=7) == "U"
    assert by_hl7apy(text).pid.to_er7() == "PID|1||20785-7^^^KIOSK^PNT||^^^^^^U|||U"


def test_a_foreign_phone_keeps_its_country() -> None:
    assert by_hl7(written(profile_of=profile(phone="447911123456")), "PID", 13) == "+447911123456"


def test_the_same_event_is_the_same_message_and_its_id_fits() -> None:
    assert written(profile_of=profile()) == written(profile_of=profile())
    assert len(control_id("x" * 500)) == CONTROL_ID_MAX
    assert control_id("a") != control_id("b")


def test_every_public_event_is_decided() -> None:
    silent = {kind.type for kind in PUBLIC_KINDS if trigger_of(kind.type) is None}
    assert silent == {
        "ticket.recalled", "share.repeated", "share.refused", "acknowledgement.delivered", "acknowledgement.parked",
    }  # fmt: skip
    assert {trigger_of(kind.type) for kind in PUBLIC_KINDS} == {*Trigger, None}
