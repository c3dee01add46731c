"""What is written once and read in order: traces, the audit (§11) and our own calendar days (§12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import bindparam, select

from db.access import Access
from db.prepared import Prepared
from db.tables import audit, calendar_days, traces
from ivr.ports import AuditRow, DayException, TraceEvent

_OF_CALL = Prepared(
    select(traces)
    .where(traces.c.call == bindparam("wanted"), traces.c.seq > bindparam("after"))
    .order_by(traces.c.at, traces.c.seq)
)
_DAYS = Prepared(select(calendar_days).order_by(calendar_days.c.day))


class SqlTraces:
    """`ivr.ports.Traces`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def add(self, events: Iterable[TraceEvent]) -> None:
        self._db.insert(traces, [asdict(event) for event in events])

    def of_call(self, call: str, *, after: int = 0) -> Sequence[tuple[int, TraceEvent]]:
        rows = self._db.rows(_OF_CALL, wanted=call, after=after)
        return [(row.pop("seq"), TraceEvent(**row)) for row in rows]


class SqlAudit:
    """`ivr.ports.Audit`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def add(self, row: AuditRow) -> None:
        self._db.insert(audit, [asdict(row)])

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[AuditRow]:
        columns = [column for column in audit.c if column is not audit.c.seq]
        statement = select(*columns).order_by(audit.c.at.desc(), audit.c.seq.desc()).limit(limit)
        if since is not None:
            statement = statement.where(audit.c.at >= since)
        return [AuditRow(**row) for row in self._db.rows(statement)]


class SqlCalendarDays:
    """`ivr.ports.CalendarDays`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def list(self) -> Sequence[DayException]:
        """In the order of days."""
        return [DayException(**row) for row in self._db.rows(_DAYS)]

    def set(self, day: DayException) -> None:
        self._db.insert_missing(calendar_days, [asdict(day)])
        self._db.run(
            calendar_days.update()
            .where(calendar_days.c.day == day.day)
            .values(opens=day.opens, closes=day.closes)
        )

    def clear(self, day: date) -> bool:
        """Whether there was such a day."""
        return self._db.run(calendar_days.delete().where(calendar_days.c.day == day)) > 0
