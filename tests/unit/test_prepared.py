"""Statements that are compiled once: what SQLAlchemy would have done, in the driver's own cursor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, bindparam, event, select
from sqlalchemy.exc import IntegrityError, OperationalError

from db.engine import connect, storage_errors
from db.prepared import Prepared
from db.types import UtcTime
from ivr.domain.errors import StorageDown

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
_metadata = MetaData()
things = Table(
    "things", _metadata, Column("id", Text, primary_key=True), Column("at", UtcTime), Column("n", Integer)
)
INSERT = Prepared(things.insert().inline(), columns=("id", "at", "n"))
AMONG = Prepared(
    select(things.c.id, things.c.at)
    .where(things.c.id.in_(bindparam("wanted", expanding=True)), things.c.n > 0)
    .order_by(things.c.id)
    .limit(bindparam("most")),
    lists=("wanted",),
)
CHANGE = Prepared(things.update().where(things.c.id == bindparam("wanted")), columns=("n",))
COUNT = Prepared(
    things.update().where(things.c.id == bindparam("wanted")).values(n=things.c.n + 1).returning(things.c.n)
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = connect(f"sqlite:///{tmp_path}/a.db")
    with engine.connect() as connection:
        _metadata.create_all(connection)
        INSERT.many(connection, [{"id": id_, "at": AT, "n": n} for n, id_ in enumerate("abcd")])
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    ("wanted", "found"), [("", ""), ("b", "b"), ("abx", "b"), ("abcd", "bcd"), ("cb", "bc")]
)
def test_lists_may_have_any_length_and_values_of_the_statement_stay(
    connection: Connection, wanted: str, found: str
) -> None:
    rows = AMONG.rows(connection, {"wanted": list(wanted), "most": 9})
    assert rows == [{"id": id_, "at": AT} for id_ in found]


def test_one_row_or_none(connection: Connection) -> None:
    assert AMONG.first(connection, {"wanted": ["c", "d"], "most": 1}) == {"id": "c", "at": AT}
    assert AMONG.first(connection, {"wanted": ["x"], "most": 1}) is None


def test_a_change_tells_how_many_rows_it_touched(connection: Connection) -> None:
    assert [CHANGE.run(connection, {"wanted": id_, "n": 7}) for id_ in ("a", "x")] == [1, 0]
    assert COUNT.first(connection, {"wanted": "a"}) == {"n": 8}


def test_it_is_part_of_the_connections_transaction(connection: Connection) -> None:
    connection.commit()
    CHANGE.run(connection, {"wanted": "b", "n": 9})
    assert connection.in_transaction()
    connection.rollback()
    assert COUNT.first(connection, {"wanted": "b"}) == {"n": 2}


def test_a_broken_rule_is_an_error_without_values(connection: Connection) -> None:
    with pytest.raises(IntegrityError) as error:
        INSERT.many(connection, [{"id": "a", "at": AT, "n": 4711}])
    assert "4711" not in str(error.value)


def test_a_database_that_is_held_is_down(connection: Connection, tmp_path: Path) -> None:
    connection.commit()
    CHANGE.run(connection, {"wanted": "b", "n": 9})
    other = connect(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(StorageDown), storage_errors(), other.connect() as second:
        assert second.connection.driver_connection is not None
        second.connection.driver_connection.execute("PRAGMA busy_timeout = 1")
        CHANGE.run(second, {"wanted": "b", "n": 9})
    other.dispose()


def test_what_the_database_does_not_know_is_sqlalchemys_error(connection: Connection) -> None:
    elsewhere = Table("elsewhere", MetaData(), Column("id", Text))
    with pytest.raises(OperationalError):
        Prepared(select(elsewhere)).rows(connection, {})


def test_who_listens_to_statements_hears_them(connection: Connection) -> None:
    heard: list[object] = []
    event.listen(connection, "before_cursor_execute", lambda *told: heard.append(told[3]))
    CHANGE.run(connection, {"wanted": "b", "n": 9})
    assert heard == [(9, "b")]
