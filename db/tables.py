"""The tables. Personal fields are sealed from the first migration on (§10, §11; db/crypto.py).

A `Sealed` column needs the row's id before the row is written, so ids are made here (ivr/domain/ids.py), not
by the database. Columns named `…_hash` are keyed hashes for look-up. Times are `UtcTime`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)

from db.callback_tables import callback_attempts as callback_attempts
from db.callback_tables import callbacks as callbacks
from db.deferred_tables import deferred as deferred
from db.duty_tables import operator_places as operator_places
from db.duty_tables import operator_states as operator_states
from db.duty_tables import operators as operators
from db.duty_tables import reasons as reasons
from db.figures_tables import passages as passages
from db.journal_tables import journal_lines as journal_lines
from db.journal_tables import journal_positions as journal_positions
from db.metadata import Sequence
from db.metadata import metadata as metadata
from db.queue_tables import announcements as announcements
from db.queue_tables import queue_rules as queue_rules
from db.queue_tables import turns as turns
from db.scenario_tables import scenario_versions as scenario_versions
from db.types import KeyedHash, Sealed, UtcTime

key_marks = Table(
    "key_marks",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("mark", KeyedHash, nullable=False),
    Column("state", Text, nullable=False, server_default="used"),
)
"""The keys rows are sealed and hashed with: whoever opens the database must have them (db/marks.py)."""

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Registration numbers by year; a row is changed in the transaction that uses the number: no gaps."""

cards = Table(
    "cards",
    metadata,
    Column("id", Text, primary_key=True),
    Column("registration_number", Text, nullable=False, unique=True),
    Column("registered_at", UtcTime, nullable=False, index=True),
    Column("closed_at", UtcTime),
    Column("number", Sealed),
    Column("number_hash", KeyedHash, index=True),
    Column("snils", Sealed),
    Column("snils_hash", KeyedHash, index=True),
    Column("level", Text, nullable=False),
    Column("agency", Text),
    Column("questions", Sealed),
    Column("comment", Sealed),
    Column("callback_at", UtcTime),
    Column("answer_source", Sealed),
    Column("answer", Sealed),
    Column("confirmed", Boolean),
    Column("operator", Text),
    Column("outcome", Text),
    Index("ix_cards_agency_id", "agency", "id"),
    Index("ix_cards_operator_id", "operator", "id"),
    Index("ix_cards_outcome_id", "outcome", "id"),
    Index(
        "ix_cards_open",
        "id",
        sqlite_where=text("outcome IS NULL"),
        postgresql_where=text("outcome IS NULL"),
    ),
)
"""§15; an empty text is NULL. `snils`: who was identified. Ids sort by time, so an index that ends with them
gives the newest first."""

card_topics = Table(
    "card_topics",
    metadata,
    Column("card", Text, ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("agency", Text, nullable=False),
    Column("title", Text, nullable=False),
    Index("ix_card_topics_title_card", "title", "card"),
)
"""§23: the topics of one enquiry may belong to several agencies."""

contacts = Table(
    "contacts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("card", Text, ForeignKey("cards.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("node", Text, nullable=False),
    Column("call", Text, nullable=False, index=True),
    Column("direction", Text, nullable=False),
    Column("at", UtcTime, nullable=False, index=True),
    Column("waiting_s", Integer, nullable=False),
    Column("talking_s", Integer, nullable=False),
    Column("wrapup_s", Integer, nullable=False),
    Column("outcome", Text),
    UniqueConstraint("node", "call"),
)
"""§13."""

agencies = Table(
    "agencies",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

topics = Table(
    "topics",
    metadata,
    Column("key", Text, primary_key=True),
    Column("agency", Text, ForeignKey("agencies.code"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("line", Integer, nullable=False),
)
"""Consultation topics by the key a caller presses, unique in all agencies."""

applications = Table(
    "applications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("identity_hash", KeyedHash, nullable=False, unique=True),
    Column("receipt_hash", KeyedHash, nullable=False, index=True),
    Column("snils_hash", KeyedHash, nullable=False, index=True),
    Column("agency", Text, nullable=False),
    Column("snils", Sealed, nullable=False),
    Column("number", Sealed, nullable=False),
    Column("accepted_on", Sealed, nullable=False),
    Column("service", Sealed),
    Column("status", Sealed),
    Column("decision", Sealed),
    Column("refusal_reason", Sealed),
    Column("missing_documents", Sealed),
)
"""§20, §22. `identity_hash`: agency, digits of the number, SNILS; `receipt_hash`: digits and day."""

citizens = Table(
    "citizens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("snils_hash", KeyedHash, nullable=False, unique=True),
    Column("snils", Sealed, nullable=False),
    Column("last_name", Sealed),
    Column("first_name", Sealed),
    Column("patronymic", Sealed),
    Column("birth_date", Sealed),
    Column("phone", Sealed),
    Column("document_type", Sealed),
    Column("document_series", Sealed),
    Column("document_number", Sealed),
    Column("code_form", Text, nullable=False, server_default="code"),
    Column("code_keypad", Sealed),
    Column("code_exact", Sealed),
    Column("code_pepper", Text, index=True),
    Column("code_set_at", UtcTime),
)
"""§21. Of the secret code only hashes, sealed besides; `code_pepper`: id of the pepper both were made with.
`code_form`: room for the other form, the answer to one of five set questions."""


def _of_a_citizen() -> tuple[Column[Any], ...]:
    """What agencies tell of a citizen, each row found by the citizen's SNILS."""
    return (
        Column("id", Text, primary_key=True),
        Column("identity_hash", KeyedHash, nullable=False, unique=True),
        Column("snils_hash", KeyedHash, nullable=False, index=True),
        Column("agency", Text, nullable=False),
        Column("snils", Sealed, nullable=False),
    )


payments = Table(
    "payments",
    metadata,
    *_of_a_citizen(),
    Column("title", Sealed, nullable=False),
    Column("amount", Sealed, nullable=False),
    Column("date", Sealed, nullable=False),
    Column("status", Sealed, nullable=False),
)
"""§21, §22. `identity_hash`: SNILS, agency, title, date, amount."""

notices = Table(
    "notices",
    metadata,
    *_of_a_citizen(),
    Column("event", Sealed, nullable=False),
    Column("measure", Sealed, nullable=False),
    Column("how_to_get", Sealed),
    Column("valid_until", Sealed),
)
"""§2, §22. `identity_hash`: SNILS, agency, event, measure."""

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("opens", Time),
    Column("closes", Time),
)

traces = Table(
    "traces",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("call", Text, nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice, even after old rows are erased
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("call", Text),
    Column("result", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""§11: each access to personal data."""

guesses = Table(
    "guesses",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key_hash", KeyedHash, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("locked_until", UtcTime),
    Column("locks", Integer, nullable=False),
)
