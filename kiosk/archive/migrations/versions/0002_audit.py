"""The audit: lines chained for each facility, the heads of each day, and their seals."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of the audit."""
    op.create_table(
        "audit_lines",
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("ticket", sa.String(24), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("entry", sa.String(96), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_heads",
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_day_heads",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("hip_id", sa.String(250), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_seals",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("heads", sa.LargeBinary(32), nullable=False),
        sa.Column("seal", sa.LargeBinary(32), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("signature", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("audit_day_heads_of_a_facility", "audit_day_heads", ["hip_id", "seq"])
