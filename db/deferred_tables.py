"""The table of deferred enquiries (§14)."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from db.metadata import metadata
from db.types import UtcTime

deferred = Table(
    "deferred",
    metadata,
    Column("card", Text, ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Text, nullable=False, index=True),
    Column("deadline", UtcTime, nullable=False),
    Column("marked_at", UtcTime, nullable=False),
    Column("marked_by", Text, nullable=False),
    Column("operator", Text),
    Column("assigned_at", UtcTime),
    Column("callback", Text),
    Column("finished_at", UtcTime),
)
"""One for a card. When the enquiry was registered, and everything about the citizen, is on the card."""
