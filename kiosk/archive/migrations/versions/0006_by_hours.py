"""Which refused shares met a queue that its opening hours had closed: with each share, and in the sums."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = ("hourly_sums", "daily_sums", "monthly_sums", "state_sums")


def upgrade() -> None:
    """Add the columns. A database adds one with a default without writing its rows again."""
    op.add_column("shares", sa.Column("by_hours", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in TABLES:
        op.add_column(table, sa.Column("refused_by_hours", sa.BigInteger(), nullable=False, server_default="0"))
