"""Versions of dialogue scenarios in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ivr.domain.errors import NotFound
from ivr.domain.versions import State, Version
from ivr.testing.rows import Rows, aware


class MemoryScenarios(Rows):
    """`ivr.ports.Scenarios`; `rows` by name and number."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Version] = {}

    def hold(self) -> None:
        """There is one thread."""

    def add(self, version: Version) -> None:
        """See the port. Raises ValueError for a number that is taken."""
        aware(version.saved_at, version.published_at)
        if (version.scenario, version.number) in self.rows:
            raise ValueError(f"there is a version {version.number} of {version.scenario} already")
        self.rows[version.scenario, version.number] = version

    def save(self, version: Version) -> None:
        """See the port. Raises NotFound."""
        aware(version.published_at)
        old = self.rows.get((version.scenario, version.number))
        if old is None:
            raise NotFound(f"there is no version {version.number} of {version.scenario}")
        self.rows[version.scenario, version.number] = replace(
            old,
            state=version.state,
            published_at=version.published_at,
            published_by=version.published_by,
        )

    def list(self, scenario: str | None = None) -> Sequence[Version]:
        """See the port."""
        found = [v for v in self.rows.values() if scenario in (None, v.scenario)]
        return sorted(found, key=lambda v: (v.scenario, -v.number))

    def in_force(self, scenario: str) -> Version | None:
        """See the port."""
        return next((v for v in self.list(scenario) if v.state is State.PUBLISHED), None)
