"""Passages of calls through queues. Calls from before have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passages",
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("entered", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger()),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text()),
        sa.Column("talking_s", sa.Integer(), nullable=False),
        sa.Column("hold_s", sa.Integer(), nullable=False),
        sa.Column("missed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact"], ["contacts.id"], name=op.f("fk_passages_contact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact", "position", name=op.f("pk_passages")),
    )
    op.create_index(op.f("ix_passages_entered"), "passages", ["entered"])
    op.create_index("ix_passages_operator_entered", "passages", ["operator", "entered"])


def downgrade() -> None:
    op.drop_table("passages")
