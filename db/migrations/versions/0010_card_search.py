"""Searching cards (by whom, about what, how they ended) and taking callbacks in their order.

Whose cards the older ones are nobody knows: until now a card kept no SNILS, not even its hash.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PENDING = "state IN ('retry', 'waiting')"
NEW = {
    "ix_cards_snils_hash": ("cards", ["snils_hash"]),
    "ix_cards_agency_id": ("cards", ["agency", "id"]),
    "ix_cards_operator_id": ("cards", ["operator", "id"]),
    "ix_cards_outcome_id": ("cards", ["outcome", "id"]),
    "ix_card_topics_title_card": ("card_topics", ["title", "card"]),
}


def upgrade() -> None:
    op.add_column("cards", sa.Column("snils", sa.LargeBinary()))
    op.add_column("cards", sa.Column("snils_hash", sa.LargeBinary()))
    op.drop_index("ix_cards_operator", "cards")
    for name, (table, columns) in NEW.items():
        op.create_index(name, table, columns)
    op.create_index(
        "ix_callbacks_pending",
        "callbacks",
        ["arrived_at", "id"],
        sqlite_where=sa.text(PENDING),
        postgresql_where=sa.text(PENDING),
    )


def downgrade() -> None:
    op.drop_index("ix_callbacks_pending", "callbacks")
    for name, (table, _) in reversed(NEW.items()):
        op.drop_index(name, table)
    op.create_index("ix_cards_operator", "cards", ["operator"])
    op.drop_column("cards", "snils_hash")
    op.drop_column("cards", "snils")
