"""Promises to call a citizen, and the attempts to keep them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from db.metadata import OPEN_CALLBACK, PENDING_CALLBACK, metadata
from db.types import KeyedHash, Sealed, UtcTime

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("card", Text, ForeignKey("cards.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Sealed, nullable=False),
    Column("number_hash", KeyedHash, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("arrived_at", UtcTime, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("operator", Text),
    Column("leg", Integer, nullable=False, server_default="0"),
    Column("leg_at", UtcTime),
    Column("node", Text),
    Index("ix_callbacks_state_due", "state", "due"),
    Index("ix_callbacks_queue_state_arrived_at", "queue", "state", "arrived_at"),
    Index(
        "ix_callbacks_pending",
        "arrived_at",
        "id",
        sqlite_where=text(PENDING_CALLBACK),
        postgresql_where=text(PENDING_CALLBACK),
    ),
    Index(
        "uq_callbacks_open_number_hash",
        "number_hash",
        unique=True,
        sqlite_where=text(OPEN_CALLBACK),
        postgresql_where=text(OPEN_CALLBACK),
    ),
)
"""At most one open callback for a number: nobody is called twice at once."""

callback_attempts = Table(
    "callback_attempts",
    metadata,
    Column("callback", Text, ForeignKey("callbacks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("result", Text, nullable=False),
    Column("leg", Integer, nullable=False, server_default="0"),
)
