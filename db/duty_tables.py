"""The tables of operators' working days: accounts, the queues they serve, their states, reasons."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, false

from db.metadata import Sequence, metadata
from db.types import Sealed, UtcTime

operators = Table(
    "operators",
    metadata,
    Column("extension", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("ha1", Sealed, nullable=False),
    Column("last_call", Text),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("supervisor", Boolean, nullable=False, server_default=false()),
)

operator_places = Table(
    "operator_places",
    metadata,
    Column("extension", Text, ForeignKey("operators.extension", ondelete="CASCADE"), primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("penalty", Integer, nullable=False),
)
"""The queues an operator serves while logged in."""

operator_states = Table(
    "operator_states",
    metadata,
    Column("id", Sequence, primary_key=True),
    Column("extension", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False, index=True),
)
"""Every change of a state: what figures of working time are made from."""

reasons = Table(
    "reasons",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("title", Text, nullable=False),
)
"""Directories of numbered reasons, by what they are reasons of."""
