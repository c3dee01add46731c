"""The queues each operator serves, the history of states, directories of reasons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PAUSES = {"1": "обед", "2": "перерыв", "3": "обучение", "4": "совещание", "5": "отложенные обращения"}


def upgrade() -> None:
    op.add_column("operators", sa.Column("last_call", sa.Text()))
    op.add_column("operators", sa.Column("missed", sa.Integer(), server_default="0", nullable=False))
    places = op.create_table(
        "operator_places",
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("penalty", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["extension"],
            ["operators.extension"],
            name=op.f("fk_operator_places_extension"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("extension", "queue", name=op.f("pk_operator_places")),
    )
    op.create_table(
        "operator_states",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_states")),
    )
    op.create_index(op.f("ix_operator_states_at"), "operator_states", ["at"])
    reasons = op.create_table(
        "reasons",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_reasons")),
    )
    op.bulk_insert(reasons, [{"kind": "pause", "key": key, "title": title} for key, title in PAUSES.items()])
    _give_places(places)


def _give_places(places: sa.Table) -> None:
    """Operators serve the queues they were put into until now: `general` on the first line, and their own."""
    operators = sa.table(
        "operators",
        sa.column("extension", sa.Text()),
        sa.column("agency", sa.Text()),
        sa.column("line", sa.Integer()),
    )
    own = operators.c.agency + "-" + sa.cast(operators.c.line, sa.Text())
    names = ["extension", "queue", "penalty"]
    zero = sa.literal(0, sa.Integer())
    op.execute(places.insert().from_select(names, sa.select(operators.c.extension, own, zero)))
    first = sa.select(operators.c.extension, sa.literal("general", sa.Text()), zero).where(
        operators.c.line == 1
    )
    op.execute(places.insert().from_select(names, first))


def downgrade() -> None:
    for table in ("reasons", "operator_states", "operator_places"):
        op.drop_table(table)
    op.drop_column("operators", "missed")
    op.drop_column("operators", "last_call")
