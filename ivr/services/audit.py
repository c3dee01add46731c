"""Who did what to whom (§10, §11): written in the transaction of the deed, read by `ekc audit list`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.ports import AuditRow, UnitOfWork


@dataclass(frozen=True, kw_only=True)
class By:
    """Who acts, and when."""

    actor: str
    """`cli:<login>`, an operator's extension, `ivr`."""
    at: datetime

    def note(
        self, uow: UnitOfWork, action: str, subject: str, *, call: str | None = None, result: str = "ok"
    ) -> None:
        """Write a row.

        action: `cards.show`, `operators.add` …; subject: an opaque id, never a name, number or document;
        result: `ok`, a refusal's reason, or the names (not the values) of what changed.
        """
        uow.audit.add(
            AuditRow(at=self.at, actor=self.actor, action=action, subject=subject, call=call, result=result)
        )


def view(row: AuditRow) -> dict[str, object]:
    """A row with the keys of the outer interface."""
    return {
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "call": row.call,
        "result": row.result,
    }


def listed(
    uow: UnitOfWork, *, since: datetime | None = None, limit: int | None = None
) -> Sequence[dict[str, object]]:
    """Rows, newest first."""
    return [view(row) for row in uow.audit.list(since=since, limit=limit)]
