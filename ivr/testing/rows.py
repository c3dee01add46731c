"""What the repositories in memory have in common."""

from __future__ import annotations

import copy
from collections.abc import Iterable, MutableMapping
from datetime import datetime
from typing import Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Rows:
    """A repository whose attributes are dicts and lists of immutable values."""

    def copied(self) -> Self:
        """A twin that can be changed without the original's noticing."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list):
                setattr(twin, name, value.copy())
        return twin


def put_changed(rows: MutableMapping[K, V], incoming: Iterable[tuple[K, V]]) -> int:
    """Store the last value of each key; how many rows really changed. A known key keeps its place."""
    latest = dict(incoming)
    changed = {key: value for key, value in latest.items() if rows.get(key) != value}
    rows.update(changed)
    return len(changed)


def aware(*times: datetime | None) -> None:
    """Refuse naive times with TypeError, as the database does."""
    if any(time is not None and time.tzinfo is None for time in times):
        raise TypeError("a time without a zone names no moment")
