"""What all tables are put into, and what their constraints are called."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

from ivr.domain.callback import OPEN_STATES

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

OPEN_CALLBACK = "state IN ({})".format(", ".join(f"'{state}'" for state in sorted(OPEN_STATES)))
