"""Versions of dialogue scenarios (§9.3)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select

from db.access import Access, Row
from db.tables import scenario_versions as table
from ivr.domain.errors import NotFound
from ivr.domain.versions import State, Version


class SqlScenarios:
    """`ivr.ports.Scenarios`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def hold(self) -> None:
        """See the port."""
        self._db.serialise("scenarios")

    def add(self, version: Version) -> None:
        """See the port."""
        self._db.insert(table, [_row(version)])

    def save(self, version: Version) -> None:
        """See the port. Raises NotFound."""
        place = (table.c.scenario == version.scenario, table.c.number == version.number)
        kept = {"text", "sha256", "saved_at", "saved_by"}
        changed = {name: value for name, value in _row(version).items() if name not in kept}
        if not self._db.run(table.update().where(*place).values(**changed)):
            raise NotFound(f"there is no version {version.number} of {version.scenario}")

    def list(self, scenario: str | None = None) -> Sequence[Version]:
        """See the port."""
        found = select(table).order_by(table.c.scenario, table.c.number.desc())
        return self._read(found if scenario is None else found.where(table.c.scenario == scenario))

    def in_force(self, scenario: str) -> Version | None:
        """See the port."""
        where = (table.c.scenario == scenario, table.c.state == State.PUBLISHED.value)
        return next(iter(self._read(select(table).where(*where))), None)

    def _read(self, statement: Select[tuple[object, ...]]) -> Sequence[Version]:
        return [_version(row) for row in self._db.rows(statement)]


def _row(version: Version) -> Row:
    row = {name: getattr(version, name) for name in Version.__dataclass_fields__}
    return {**row, "state": version.state.value}


def _version(row: Row) -> Version:
    return Version(**{**row, "state": State(row["state"])})
