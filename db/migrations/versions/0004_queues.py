"""Rules of queues as data, callers' turns, announcements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "queue_rules",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("no_operator", sa.Text(), nullable=False),
        sa.Column("all_paused", sa.Text(), nullable=False),
        sa.Column("too_long", sa.Text(), nullable=False),
        sa.Column("paused_seconds", sa.Integer(), nullable=False),
        sa.Column("longest_wait_seconds", sa.Integer()),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("widen_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_queue_rules")),
    )
    op.create_table(
        "turns",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text()),
        sa.Column("topic", sa.Text()),
        sa.Column("first_arrived_at", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_turns_card"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("node", "call", name=op.f("pk_turns")),
    )
    op.create_index(op.f("ix_turns_card"), "turns", ["card"])
    op.create_index(op.f("ix_turns_queue"), "turns", ["queue"])
    op.create_table(
        "announcements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sound", sa.Text(), nullable=False),
        sa.Column("recording", sa.LargeBinary()),
        sa.Column("until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    op.create_index(op.f("ix_announcements_at"), "announcements", ["at"])


def downgrade() -> None:
    for table in ("announcements", "turns", "queue_rules"):
        op.drop_table(table)
