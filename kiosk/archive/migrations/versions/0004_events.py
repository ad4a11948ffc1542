"""Events that other programs read after the store has dropped them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "events",
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("cursor_ms", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("cursor_number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("ticket", sa.String(2000), nullable=False),
        sa.Column("request", sa.String(24), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("refusal", sa.String(24), nullable=False),
        sqlite_with_rowid=False,
    )
