"""The state of a database: its revision, its migration, and whether it is fit for this program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from db import marks
from db.crypto import Vault
from db.engine import SQLITE, prepare, serialise
from db.tables import metadata
from ivr.domain.errors import KeyLost, StorageDown

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = "0010"
"""The newest migration, held against the folder by a test: so a start need not load Alembic."""
MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = "ekc schema"


def revision(connection: Connection) -> str | None:
    """What the database is at; None for one that was never migrated."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration for this connection; the scripts are found beside this module."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, vault: Vault) -> str:
    """Bring the database to REVISION in one transaction, and its key marks with it; the revision.

    Several programs may do it at once: one works, the others find it done. Raises StorageDown for a database
    of a newer program, KeyLost when a key it was sealed with is not in the ring.
    """
    prepare(engine)
    with engine.begin() as connection:
        serialise(connection, _LOCK)
        before = revision(connection)
        if before != REVISION:
            _migrate(connection, before)
        marks.settle(connection, vault)
    return REVISION


def _migrate(connection: Connection, before: str | None) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(migration_config(connection), REVISION)
    except CommandError:
        raise StorageDown(
            f"the database is at revision {before}, which this program does not know; "
            "install the program's newer version or restore a backup"
        ) from None


def require_current(connection: Connection, vault: Vault) -> None:
    """Raise StorageDown unless the database is at REVISION and the ring has its keys."""
    found = revision(connection)
    if found != REVISION:
        state = f"at revision {found}" if found else "empty"
        raise StorageDown(f"the database is {state}, this program needs {REVISION}: run `ekc db upgrade`")
    marks.check(connection, vault)


def differences(connection: Connection, vault: Vault) -> Sequence[str]:
    """What is wrong with the database, one sentence each; empty when program and database agree."""
    found = revision(connection)
    if found != REVISION:
        return [f"the database is at revision {found or 'none'}, the program needs {REVISION}"]
    problems = [*_model_differences(connection), *_integrity(connection)]
    try:
        marks.check(connection, vault)
    except KeyLost as error:
        problems.append(str(error))
    return problems


def _model_differences(connection: Connection) -> Sequence[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [
        f"tables differ from the program: {_short(found)}" for found in compare_metadata(context, metadata)
    ]


def _short(difference: object) -> str:
    """`add_table cards`, `remove_column cards …`: what Alembic found, on one line."""
    parts = difference if isinstance(difference, tuple) else (difference,)
    return " ".join(str(getattr(part, "name", part)) for part in parts if part is not None)[:200]


def _integrity(connection: Connection) -> Sequence[str]:
    if connection.dialect.name != SQLITE:
        return []
    try:
        damage = connection.exec_driver_sql("PRAGMA quick_check(5)").scalars().all()
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except SQLAlchemyError as error:
        return [f"the file is damaged: {getattr(error, 'orig', error)}; restore a backup"]
    problems = [f"the file is damaged: {line}; restore a backup" for line in damage if line != "ok"]
    if orphans:
        problems.append(f"{len(orphans)} rows speak of rows that are not there; restore a backup")
    return problems
