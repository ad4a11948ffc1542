"""Why clerks let people go sooner: with each ticket, and in the sums."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = ("hourly_sums", "daily_sums", "monthly_sums", "state_sums")
REASONS = ("senior", "pregnant", "disabled", "child", "emergency", "staff", "doctor", "other")
SUMS = ("lane_priority", *(f"reason_{reason}" for reason in REASONS))


def upgrade() -> None:
    """Add the columns. A database adds one with a default without writing its rows again."""
    op.add_column("tickets", sa.Column("reason", sa.String(16), nullable=False, server_default=""))
    for table in TABLES:
        for name in SUMS:
            op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
