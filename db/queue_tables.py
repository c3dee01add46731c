"""The tables of waiting: rules of queues, callers' turns, announcements to everybody."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, Table, Text

from db.metadata import metadata
from db.types import UtcTime

queue_rules = Table(
    "queue_rules",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("no_operator", Text, nullable=False),
    Column("all_paused", Text, nullable=False),
    Column("too_long", Text, nullable=False),
    Column("paused_seconds", Integer, nullable=False),
    Column("longest_wait_seconds", Integer),
    Column("topics", JSON, nullable=False),
    Column("widen_seconds", Integer, nullable=False),
)
"""A queue without a row has the defaults of ivr/domain/queue_rules.py. `topics`: penalties by title."""

turns = Table(
    "turns",
    metadata,
    Column("node", Text, primary_key=True),
    Column("call", Text, primary_key=True),
    Column("card", Text, ForeignKey("cards.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("queue", Text, nullable=False, index=True),
    Column("agency", Text),
    Column("topic", Text),
    Column("first_arrived_at", UtcTime, nullable=False),
    Column("priority", Integer, nullable=False),
)
"""Who was handed over to which queue, by call; the last queue counts."""

announcements = Table(
    "announcements",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("sound", Text, nullable=False),
    Column("recording", LargeBinary),
    Column("until", UtcTime),
)
"""For everybody, so nothing personal. `sound`: the recording's hash."""
