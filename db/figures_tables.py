"""What figures are made from: passages, drawn from the journals."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, Table, Text

from db.metadata import metadata
from db.types import UtcTime

passages = Table(
    "passages",
    metadata,
    Column("contact", Text, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("entered", UtcTime, nullable=False, index=True),
    Column("left", UtcTime),
    Column("why", Text, nullable=False),
    Column("operator", Text),
    Column("talking_s", Integer, nullable=False),
    Column("hold_s", Integer, nullable=False),
    Column("missed", JSON, nullable=False),
    Index("ix_passages_operator_entered", "operator", "entered"),
)
"""One for each turn of a call in a queue, and for each talk that no queue led to (ivr/domain/passage.py)."""
