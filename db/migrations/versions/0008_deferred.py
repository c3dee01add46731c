"""Deferred enquiries (§14)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deferred",
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("marked_at", sa.BigInteger(), nullable=False),
        sa.Column("marked_by", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text()),
        sa.Column("assigned_at", sa.BigInteger()),
        sa.Column("callback", sa.Text()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_deferred_card"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("card", name=op.f("pk_deferred")),
    )
    op.create_index(op.f("ix_deferred_state"), "deferred", ["state"])


def downgrade() -> None:
    op.drop_table("deferred")
