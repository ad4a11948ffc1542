"""The first schema: tickets, shares, sums, imported totals, and how far the event log was read."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAMES = """
tokens source_abha_app source_camera source_staff source_hmis assurance_screen assurance_stale assurance_poster
assurance_unknown assurance_staff assurance_camera far lane_ordinary lane_senior lane_pregnant lane_disabled
lane_emergency state_expected state_waiting state_called state_serving state_held state_no_show state_done
state_cancelled state_lapsed called refused refused_unknown_facility refused_closed_counter refused_closed_queue
refused_far refused_stale refused_unknown_counter refused_intent refused_clock refused_facility_mismatch
refused_busy refused_queue_full refused_profile refused_no_queue refused_no_tokens refused_malformed refused_no_place
repeated
redelivered people_day people_month people_state people_unknown wait_s wait_0 wait_1 wait_2 wait_3 wait_4 wait_5
wait_6 wait_7 wait_8 wait_9 wait_10 wait_11 wait_12 wait_13 service_s service_0 service_1 service_2 service_3
service_4 service_5 service_6 service_7 service_8 service_9 service_10 service_11 service_12 acks_delivered
acks_parked ack_ms ack_0 ack_1 ack_2 ack_3 ack_4 ack_5 ack_6 ack_7 ack_8 ack_9 ack_10
"""


def _sums() -> Iterator["sa.Column[Any]"]:
    for name in NAMES.split():
        yield sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "cursors",
        sa.Column("partition", sa.String(16), primary_key=True),
        sa.Column("cursor", sa.String(32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "daily_sums",
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("service_day", sa.Date(), primary_key=True),
        sa.Column("queue", sa.String(64), primary_key=True),
        *_sums(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "facilities",
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("key", sa.String(16), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("district", sa.String(100), nullable=False),
        sa.Column("state", sa.String(100), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("first_day", sa.Date()),
        sa.Column("last_day", sa.Date()),
    )
    op.create_table(
        "hourly_sums",
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("service_day", sa.Date(), primary_key=True),
        sa.Column("hour", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("queue", sa.String(64), primary_key=True),
        *_sums(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "imported_totals",
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("imported_ms", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "monthly_sums",
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("queue", sa.String(64), primary_key=True),
        *_sums(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "person_keys",
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("wrapped", sa.LargeBinary(64), nullable=False),
    )
    op.create_table(
        "persons",
        sa.Column("digest", sa.LargeBinary(16), primary_key=True),
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shares",
        sa.Column("service_day", sa.Date(), primary_key=True),
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("event", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("refusal", sa.String(24), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("ticket", sa.String(24), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.String(24), nullable=False),
        sa.Column("ack", sa.String(16), nullable=False),
        sa.Column("ack_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.String(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "state_sums",
        sa.Column("service_day", sa.Date(), primary_key=True),
        sa.Column("hour", sa.SmallInteger(), primary_key=True, autoincrement=False),
        *_sums(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tickets",
        sa.Column("service_day", sa.Date(), primary_key=True),
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("token", sa.String(16), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("counter", sa.String(64), nullable=False),
        sa.Column("lane", sa.String(16), nullable=False),
        sa.Column("assurance", sa.String(16), nullable=False),
        sa.Column("nearness", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.Column("checked_in_ms", sa.BigInteger(), nullable=False),
        sa.Column("called_first_ms", sa.BigInteger(), nullable=False),
        sa.Column("called_last_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("request", sa.String(24), nullable=False),
        sa.Column("request_id", sa.String(250), nullable=False),
        sa.Column("person", sa.LargeBinary(16)),
        sa.Column("first_day", sa.Boolean(), nullable=False),
        sa.Column("first_month", sa.Boolean(), nullable=False),
        sa.Column("first_state", sa.Boolean(), nullable=False),
        sa.Column("ack", sa.String(16), nullable=False),
        sa.Column("ack_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.String(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("daily_sums_by_day", "daily_sums", ["service_day"])
