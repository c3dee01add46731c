"""What all tables are put into, and what their constraints are called."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import BigInteger, Integer, MetaData

from ivr.domain.callback import OPEN_STATES, PENDING_STATES, State

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Sequence = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts only a column of its own type INTEGER."""


def in_states(states: Collection[State]) -> str:
    """The rule, with its values: a database recognises in it the rule of a partial index."""
    return "state IN ({})".format(", ".join(f"'{state}'" for state in sorted(states)))


OPEN_CALLBACK = in_states(OPEN_STATES)
PENDING_CALLBACK = in_states(PENDING_STATES)
