"""Citizens with their codes, payments and notices; keys get a state, so that they can be rotated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "citizens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("snils_hash", sa.LargeBinary(), nullable=False),
        sa.Column("snils", sa.LargeBinary(), nullable=False),
        sa.Column("last_name", sa.LargeBinary()),
        sa.Column("first_name", sa.LargeBinary()),
        sa.Column("patronymic", sa.LargeBinary()),
        sa.Column("birth_date", sa.LargeBinary()),
        sa.Column("phone", sa.LargeBinary()),
        sa.Column("document_type", sa.LargeBinary()),
        sa.Column("document_series", sa.LargeBinary()),
        sa.Column("document_number", sa.LargeBinary()),
        sa.Column("code_form", sa.Text(), server_default="code", nullable=False),
        sa.Column("code_keypad", sa.LargeBinary()),
        sa.Column("code_exact", sa.LargeBinary()),
        sa.Column("code_pepper", sa.Text()),
        sa.Column("code_set_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citizens")),
        sa.UniqueConstraint("snils_hash", name=op.f("uq_citizens_snils_hash")),
    )
    op.create_index(op.f("ix_citizens_code_pepper"), "citizens", ["code_pepper"])

    op.create_table(
        "payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("identity_hash", sa.LargeBinary(), nullable=False),
        sa.Column("snils_hash", sa.LargeBinary(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("snils", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("amount", sa.LargeBinary(), nullable=False),
        sa.Column("date", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("identity_hash", name=op.f("uq_payments_identity_hash")),
    )
    op.create_index(op.f("ix_payments_snils_hash"), "payments", ["snils_hash"])

    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("identity_hash", sa.LargeBinary(), nullable=False),
        sa.Column("snils_hash", sa.LargeBinary(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("snils", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("measure", sa.LargeBinary(), nullable=False),
        sa.Column("how_to_get", sa.LargeBinary()),
        sa.Column("valid_until", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("identity_hash", name=op.f("uq_notices_identity_hash")),
    )
    op.create_index(op.f("ix_notices_snils_hash"), "notices", ["snils_hash"])

    still_open = sa.text("outcome IS NULL")
    op.create_index("ix_cards_open", "cards", ["id"], sqlite_where=still_open, postgresql_where=still_open)

    op.add_column("key_marks", sa.Column("state", sa.Text(), server_default="used", nullable=False))


def downgrade() -> None:
    # What the older program would look for in vain, or not understand: it has no codes and no rotation.
    marks = sa.table("key_marks", sa.column("kind"), sa.column("state"))
    op.execute(marks.delete().where(sa.or_(marks.c.kind == "pepper", marks.c.state != "used")))
    op.drop_column("key_marks", "state")
    op.drop_index("ix_cards_open", "cards")
    for table in ("notices", "payments", "citizens"):
        op.drop_table(table)
