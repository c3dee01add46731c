"""Storage of dialogue scenarios (§9.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ivr.domain.versions import Version


class Scenarios(Protocol):
    """Every version of every scenario; none is ever erased."""

    def hold(self) -> None:
        """Until the end of the transaction nobody else holds them: call it before reading what is changed."""
        ...

    def add(self, version: Version) -> None:
        """A new one; its number must be free."""
        ...

    def save(self, version: Version) -> None:
        """Its new state; the text stays. Raises NotFound."""
        ...

    def list(self, scenario: str | None = None) -> Sequence[Version]:
        """By name, the newest first; of one scenario or of all."""
        ...

    def in_force(self, scenario: str) -> Version | None:
        """The published one."""
        ...
