"""Statements that are compiled once and run by the driver's own cursor.

SQLAlchemy's way through a statement is long. With other work between two of them the processor's caches hold
nothing of it, and it costs a quarter of a millisecond where the driver's cursor takes some 70 µs. So what
every call asks for goes the short way; text, types and errors are SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Row = dict[str, Any]
Values = Mapping[str, Any]
"""Of a statement's bindparams, by name."""
_Process = Callable[[Any], Any] | None


@dataclass(frozen=True, kw_only=True)
class _Form:
    """A statement in the words of one database, for lists of certain lengths."""

    sql: str
    binds: Sequence[tuple[str, _Process]]
    """The name of each parameter, and how its value is stored."""
    fixed: Values
    """What the statement brings itself."""
    positional: bool
    columns: Sequence[tuple[str, _Process]]
    """The name of each column of the result, and how its value is read."""

    def parameters(self, values: Values) -> Any:
        given = {**self.fixed, **values} if self.fixed else values
        stored = [given[name] if store is None else store(given[name]) for name, store in self.binds]
        if self.positional:
            return tuple(stored)
        return {name: value for (name, _), value in zip(self.binds, stored, strict=True)}

    def row(self, found: Sequence[Any]) -> Row:
        return {
            name: value if read is None else read(value)
            for (name, read), value in zip(self.columns, found, strict=True)
        }


class Prepared:
    """One statement; made once for a program, at the head of a module."""

    def __init__(
        self, statement: Any, *, columns: Sequence[str] | None = None, lists: Sequence[str] = ()
    ) -> None:
        """statement: of SQLAlchemy Core. columns: those that the rows of an INSERT, or an UPDATE, set.

        lists: its expanding bindparams, whose values are sequences.
        """
        self._statement = statement
        self._lists = lists
        self._columns = columns
        self._forms: dict[tuple[str, tuple[int, ...]], _Form] = {}

    def rows(self, connection: Connection, values: Values) -> list[Row]:
        with self._executed(connection, values) as (cursor, form):
            return [form.row(found) for found in cursor.fetchall()]

    def first(self, connection: Connection, values: Values) -> Row | None:
        with self._executed(connection, values) as (cursor, form):
            found = cursor.fetchone()
            return None if found is None else form.row(found)

    def run(self, connection: Connection, values: Values) -> int:
        """How many rows it touched."""
        with self._executed(connection, values) as (cursor, _):
            return int(cursor.rowcount)

    def many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Once with each of these values."""
        form = self._form(connection.dialect, rows[0])
        given = [form.parameters(row) for row in rows]
        with driver_cursor(_begun(connection), form.sql) as cursor:
            _announce(connection, cursor, form.sql, given, many=True)
            cursor.executemany(form.sql, given)

    @contextmanager
    def _executed(self, connection: Connection, values: Values) -> Iterator[tuple[DBAPICursor, _Form]]:
        form = self._form(connection.dialect, values)
        flat = dict(values)
        for name in self._lists:
            flat |= {f"{name}_{place}": one for place, one in enumerate(flat.pop(name), 1)}
        given = form.parameters(flat)
        with driver_cursor(_begun(connection), form.sql) as cursor:
            _announce(connection, cursor, form.sql, given, many=False)
            cursor.execute(form.sql, given)
            yield cursor, form

    def _form(self, dialect: Dialect, values: Values) -> _Form:
        key = (dialect.name, tuple(len(values[name]) for name in self._lists))
        if key not in self._forms:
            self._forms[key] = self._compiled(dialect, values)
        return self._forms[key]

    def _compiled(self, dialect: Dialect, values: Values) -> _Form:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        state = compiled.construct_expanded_state(values)
        types = {name: bind.type for name, bind in compiled.binds.items()}
        for name, places in state.parameter_expansion.items():
            types |= dict.fromkeys(places, types[name])
        names = list(state.parameters) if state.positiontup is None else state.positiontup
        given = {*values, *(place for name in self._lists for place in state.parameter_expansion[name])}
        return _Form(
            sql=state.statement,
            binds=[(name, types[name].dialect_impl(dialect).bind_processor(dialect)) for name in names],
            fixed={name: value for name, value in state.parameters.items() if name not in given},
            positional=state.positiontup is not None,
            columns=[(c.name, _reader(c.type, dialect)) for c in self._results()],
        )

    def _results(self) -> Sequence[Any]:
        """Columns of a SELECT, or of what an INSERT or UPDATE returns."""
        return tuple(getattr(self._statement, "exported_columns", ()))


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> _Process:
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _announce(connection: Connection, cursor: DBAPICursor, sql: str, given: Any, *, many: bool) -> None:
    """To who listens to SQLAlchemy's event of the same name."""
    for tell in connection.dispatch.before_cursor_execute:
        tell(connection, cursor, sql, given, None, many)


def _begun(connection: Connection) -> Connection:
    """In a transaction, as after any statement that SQLAlchemy executes."""
    if not connection.in_transaction():
        connection.begin()
    return connection


@contextmanager
def driver_cursor(connection: Connection, sql: str) -> Iterator[DBAPICursor]:
    """The driver's cursor for this statement; its errors are SQLAlchemy's, without values."""
    dialect, driver = connection.dialect, connection.connection
    dbapi: Any = dialect.loaded_dbapi
    cursor = driver.cursor()
    try:
        yield cursor
    except dbapi.Error as error:
        lost = dialect.is_disconnect(error, driver.dbapi_connection, cursor)
        told = DBAPIError.instance(
            sql, None, error, dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
        )
        if lost:
            connection.invalidate(error)
        raise told from error
    finally:
        cursor.close()
