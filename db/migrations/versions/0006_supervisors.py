"""Which operators are supervisors (§9.1); so far nobody is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column: sa.Column[bool] = sa.Column("supervisor", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("operators", column)


def downgrade() -> None:
    op.drop_column("operators", "supervisor")
