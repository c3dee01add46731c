"""Versions of dialogue scenarios (§9.3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
IN_FORCE = "state = 'published'"


def upgrade() -> None:
    op.create_table(
        "scenario_versions",
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger()),
        sa.Column("published_by", sa.Text()),
        sa.PrimaryKeyConstraint("scenario", "number", name=op.f("pk_scenario_versions")),
    )
    op.create_index(
        "ix_scenario_versions_in_force",
        "scenario_versions",
        ["scenario"],
        unique=True,
        sqlite_where=sa.text(IN_FORCE),
        postgresql_where=sa.text(IN_FORCE),
    )


def downgrade() -> None:
    op.drop_table("scenario_versions")
