"""The own exceptions to the calendar as they were last read: what holds while the database is down (§12).

They are kept in memory and in a file, so that an engine that starts without a database knows them, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.files import write_whole
from ivr.observe import get_logger
from ivr.ports import DayException, Store

_log = get_logger("ivr.calendar")


class KnownDays:
    """Of one engine."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._days = _read(path)
        self._written = self._days if path.exists() else None

    @property
    def days(self) -> Sequence[DayException]:
        return self._days

    async def refresh(self) -> None:
        """Read them anew. Raises StorageDown, and OSError for a file that cannot be written: they hold."""
        self._days = await self._store.run(lambda uow: tuple(uow.calendar.list()))
        if self._days != self._written or not self._path.exists():
            write_whole(self._path, json.dumps([_row(day) for day in self._days]))
            self._written = self._days


def _row(day: DayException) -> dict[str, str | None]:
    return {"day": day.day.isoformat(), "opens": _text(day.opens), "closes": _text(day.closes)}


def _text(at: time | None) -> str | None:
    return None if at is None else at.isoformat()


def _read(path: Path) -> tuple[DayException, ...]:
    """None where there is no file, or one that is not ours: then the production calendar alone holds."""
    try:
        return tuple(_day(row) for row in json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError, BadInput) as error:
        _log.error("calendar_unread", error=type(error).__name__)
        return ()


def _day(row: dict[str, str | None]) -> DayException:
    opens, closes = row["opens"], row["closes"]
    return DayException(
        day=date.fromisoformat(str(row["day"])),
        opens=None if opens is None else time.fromisoformat(opens),
        closes=None if closes is None else time.fromisoformat(closes),
    )
