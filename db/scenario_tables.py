"""The table of dialogue scenarios' versions (§9.3)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from db.metadata import metadata
from db.types import UtcTime

IN_FORCE = "state = 'published'"

scenario_versions = Table(
    "scenario_versions",
    metadata,
    Column("scenario", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
    Column("saved_by", Text, nullable=False),
    Column("published_at", UtcTime),
    Column("published_by", Text),
    Index(
        "ix_scenario_versions_in_force",
        "scenario",
        unique=True,
        sqlite_where=text(IN_FORCE),
        postgresql_where=text(IN_FORCE),
    ),
)
"""What the line says to everybody, so nothing personal. At most one version of a scenario is in force."""
