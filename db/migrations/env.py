"""Run by Alembic. The connection comes from the program (`migration_config`), or for a developer's commands
from `-x url=…` or `sqlalchemy.url` of alembic.ini; never from the environment."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, TypeDecorator

from db.engine import connect
from db.tables import metadata


def run(connection: Connection) -> None:
    """All steps in one transaction: SQLite can undo a CREATE TABLE, too, once it is told to begin."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def render(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Our column types as what the database has: a migration must outlive the types of its day."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    named = context.get_x_argument(as_dictionary=True).get("url")
    with connect(named or str(context.config.get_main_option("sqlalchemy.url"))).begin() as own:
        run(own)
