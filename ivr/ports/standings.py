"""Where the database stands with arrivals and with citizens, by call and by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ivr.domain.reconciliation import Standing


class Standings(Protocol):
    """Reads only, in a few statements however many calls are asked about."""

    def of_calls(self, node: str, calls: Sequence[str]) -> Mapping[str, Sequence[Standing]]:
        """By call; one without a contact is left out. `Standing.answered`: only of who wanted no callback."""
        ...

    def served_since(self, number: str, at: datetime) -> bool:
        """Whether a contact with this number (E.164) that began at this moment or later was served."""
        ...

    def has_callback(self, number: str) -> bool:
        """Whether this number (E.164) has a callback on any card, open or not."""
        ...
