"""Legs and attempts of callbacks, and which operator is to talk. So far none has been dialled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PLACE = "ix_callbacks_queue_state_arrived_at"


def upgrade() -> None:
    op.add_column("callbacks", sa.Column("operator", sa.Text()))
    op.add_column("callbacks", sa.Column("leg", sa.Integer(), server_default="0", nullable=False))
    op.add_column("callbacks", sa.Column("leg_at", sa.BigInteger()))
    op.add_column("callbacks", sa.Column("node", sa.Text()))
    op.add_column("callback_attempts", sa.Column("leg", sa.Integer(), server_default="0", nullable=False))
    op.create_index(_PLACE, "callbacks", ["queue", "state", "arrived_at"])


def downgrade() -> None:
    op.drop_index(_PLACE, "callbacks")
    op.drop_column("callback_attempts", "leg")
    for name in ("node", "leg_at", "leg", "operator"):
        op.drop_column("callbacks", name)
