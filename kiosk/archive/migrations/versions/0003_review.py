"""The state's review: imported pillars, and what was counted for the incentive."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "pillars",
        sa.Column("pillar", sa.String(64), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("value", sa.BigInteger()),
        sa.Column("target", sa.BigInteger()),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("imported_ms", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incentive_counts",
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("acks_delivered", sa.BigInteger(), nullable=False),
        sa.Column("counted_ms", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
