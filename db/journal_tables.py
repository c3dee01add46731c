"""The tables of Asterisk's journals: what was read, and how far."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Table, Text, UniqueConstraint

from db.metadata import Sequence, metadata
from db.types import UtcTime

journal_lines = Table(
    "journal_lines",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("node", Text, nullable=False),
    Column("journal", Text, nullable=False),
    Column("generation", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("call", Text, nullable=False),
    Column("linked", Text, nullable=False, index=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("node", "journal", "generation", "offset"),
    sqlite_autoincrement=True,
)
"""Lines of Asterisk's journals, without callers' numbers; a line is its place, never its text."""

journal_positions = Table(
    "journal_positions",
    metadata,
    Column("node", Text, primary_key=True),
    Column("journal", Text, primary_key=True),
    Column("generation", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
)
