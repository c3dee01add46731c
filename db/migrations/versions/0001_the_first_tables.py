"""The first tables. Personal values and keyed hashes are bytes; times are microseconds since the epoch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = (
    "state IN ('dialling_citizen', 'dialling_operator', 'queued', 'requested', 'retry', 'talking', 'waiting')"
)


def upgrade() -> None:
    op.create_table(
        "agencies",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_agencies")),
    )
    op.create_table(
        "applications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("identity_hash", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary(), nullable=False),
        sa.Column("snils_hash", sa.LargeBinary(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("snils", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("accepted_on", sa.LargeBinary(), nullable=False),
        sa.Column("service", sa.LargeBinary()),
        sa.Column("status", sa.LargeBinary()),
        sa.Column("decision", sa.LargeBinary()),
        sa.Column("refusal_reason", sa.LargeBinary()),
        sa.Column("missing_documents", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("identity_hash", name=op.f("uq_applications_identity_hash")),
    )
    op.create_index(op.f("ix_applications_receipt_hash"), "applications", ["receipt_hash"])
    op.create_index(op.f("ix_applications_snils_hash"), "applications", ["snils_hash"])

    op.create_table(
        "audit",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("call", sa.Text()),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])

    op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens", sa.Time()),
        sa.Column("closes", sa.Time()),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "cards",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("number", sa.LargeBinary()),
        sa.Column("number_hash", sa.LargeBinary()),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text()),
        sa.Column("questions", sa.LargeBinary()),
        sa.Column("comment", sa.LargeBinary()),
        sa.Column("callback_at", sa.BigInteger()),
        sa.Column("answer_source", sa.LargeBinary()),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("confirmed", sa.Boolean()),
        sa.Column("operator", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("registration_number", name=op.f("uq_cards_registration_number")),
    )
    op.create_index(op.f("ix_cards_number_hash"), "cards", ["number_hash"])
    op.create_index(op.f("ix_cards_operator"), "cards", ["operator"])
    op.create_index(op.f("ix_cards_registered_at"), "cards", ["registered_at"])

    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "guesses",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", sa.BigInteger()),
        sa.Column("locks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key_hash", name=op.f("pk_guesses")),
    )
    op.create_table(
        "journal_lines",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("linked", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal_lines")),
        sa.UniqueConstraint(
            "node",
            "journal",
            "generation",
            "offset",
            name=op.f("uq_journal_lines_node_journal_generation_offset"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_journal_lines_at"), "journal_lines", ["at"])
    op.create_index(op.f("ix_journal_lines_linked"), "journal_lines", ["linked"])

    op.create_table(
        "journal_positions",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "journal", name=op.f("pk_journal_positions")),
    )
    op.create_table(
        "key_marks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_key_marks")),
    )
    op.create_table(
        "operators",
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("ha1", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("extension", name=op.f("pk_operators")),
    )
    op.create_table(
        "traces",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_traces")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_traces_call"), "traces", ["call"])

    op.create_table(
        "callbacks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("number_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_callbacks_card"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    op.create_index(op.f("ix_callbacks_card"), "callbacks", ["card"])
    op.create_index("ix_callbacks_state_due", "callbacks", ["state", "due"])
    op.create_index(
        "uq_callbacks_open_number_hash",
        "callbacks",
        ["number_hash"],
        unique=True,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )

    op.create_table(
        "card_topics",
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_card_topics_card"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("card", "position", name=op.f("pk_card_topics")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("waiting_s", sa.Integer(), nullable=False),
        sa.Column("talking_s", sa.Integer(), nullable=False),
        sa.Column("wrapup_s", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_contacts_card"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("node", "call", name=op.f("uq_contacts_node_call")),
    )
    op.create_index(op.f("ix_contacts_at"), "contacts", ["at"])
    op.create_index(op.f("ix_contacts_call"), "contacts", ["call"])
    op.create_index(op.f("ix_contacts_card"), "contacts", ["card"])

    op.create_table(
        "topics",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agencies.code"], name=op.f("fk_topics_agency")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_topics")),
    )
    op.create_index(op.f("ix_topics_agency"), "topics", ["agency"])

    op.create_table(
        "callback_attempts",
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback"], ["callbacks.id"], name=op.f("fk_callback_attempts_callback"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("callback", "position", name=op.f("pk_callback_attempts")),
    )


def downgrade() -> None:
    for table in (
        "callback_attempts",
        "topics",
        "contacts",
        "card_topics",
        "callbacks",
        "traces",
        "operators",
        "key_marks",
        "journal_positions",
        "journal_lines",
        "guesses",
        "counters",
        "cards",
        "calendar_days",
        "audit",
        "applications",
        "agencies",
    ):
        op.drop_table(table)
