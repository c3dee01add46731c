"""What is written once and read in order, in memory: days, traces, audit, guesses, journals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from ivr.ports import (
    AuditRow,
    DayException,
    GuessCounter,
    GuessLock,
    JournalLine,
    JournalPosition,
    TraceEvent,
)
from ivr.testing.rows import Rows, aware


class MemoryCalendarDays(Rows):
    """`ivr.ports.CalendarDays`."""

    def __init__(self) -> None:
        self.rows: dict[date, DayException] = {}

    def list(self) -> Sequence[DayException]:
        """In the order of days."""
        return [self.rows[day] for day in sorted(self.rows)]

    def set(self, day: DayException) -> None:
        self.rows[day.day] = day

    def clear(self, day: date) -> bool:
        """Whether there was such a day."""
        return self.rows.pop(day, None) is not None


class MemoryTraces(Rows):
    """`ivr.ports.Traces`; an event's sequence number is its place in `rows`, from 1."""

    def __init__(self) -> None:
        self.rows: list[TraceEvent] = []

    def add(self, events: Iterable[TraceEvent]) -> None:
        coming = list(events)
        aware(*(event.at for event in coming))
        self.rows.extend(coming)

    def of_call(self, call: str, *, after: int = 0) -> Sequence[tuple[int, TraceEvent]]:
        found = [(n, e) for n, e in enumerate(self.rows, 1) if e.call == call and n > after]
        return sorted(found, key=lambda numbered: (numbered[1].at, numbered[0]))


class MemoryAudit(Rows):
    """`ivr.ports.Audit`."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []

    def add(self, row: AuditRow) -> None:
        aware(row.at)
        self.rows.append(row)

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[AuditRow]:
        newest = self.rows[::-1]
        newest.sort(key=lambda row: row.at, reverse=True)  # stable: of one moment, the last comes first
        return [row for row in newest if since is None or row.at >= since][:limit]


class MemoryGuesses(Rows):
    """`ivr.ports.Guesses`; keys stand in clear, for nothing of this outlives the test."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], GuessCounter] = {}

    def get(self, scope: str, key: str) -> GuessCounter | None:
        return self.rows.get((scope, key))

    def put(self, scope: str, key: str, counter: GuessCounter) -> None:
        aware(counter.since, counter.locked_until)
        self.rows[scope, key] = counter

    def clear(self, scope: str, key: str) -> None:
        self.rows.pop((scope, key), None)

    def locked(self, now: datetime) -> Sequence[GuessLock]:
        aware(now)
        locks = [
            GuessLock(scope=scope, locked_until=counter.locked_until, locks=counter.locks)
            for (scope, _), counter in self.rows.items()
            if counter.locked_until is not None and counter.locked_until > now
        ]
        return sorted(locks, key=lambda lock: (lock.scope, lock.locked_until))


class MemoryJournal(Rows):
    """`ivr.ports.Journal`."""

    def __init__(self) -> None:
        self.rows: list[JournalLine] = []
        self._positions: dict[tuple[str, str], JournalPosition] = {}

    def position(self, node: str, journal: str) -> JournalPosition | None:
        return self._positions.get((node, journal))

    def advance(
        self, node: str, journal: str, position: JournalPosition, *, read_from: JournalPosition | None
    ) -> bool:
        if self._positions.get((node, journal)) != read_from:
            return False
        self._positions[node, journal] = position
        return True

    def add(self, lines: Iterable[JournalLine]) -> None:
        known = set(map(_identity, self.rows))
        for line in lines:
            aware(line.at)
            if _identity(line) not in known:
                known.add(_identity(line))
                self.rows.append(line)

    def of_linked(self, linked: str) -> Sequence[JournalLine]:
        return sorted((row for row in self.rows if row.linked == linked), key=lambda row: row.at)


def _identity(line: JournalLine) -> tuple[str, str, str, int]:
    return line.node, line.journal, line.generation, line.offset
