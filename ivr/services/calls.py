"""Calls as the administrator sees them: the list, and what one caller lived through."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.domain.errors import NotFound
from ivr.ports import CallRow, TraceEvent, UnitOfWork

LAST = "last"
END = "end"
"""The kind of a trace's last event."""


def listed(uow: UnitOfWork, *, limit: int | None = None) -> Sequence[CallRow]:
    """Newest first."""
    return uow.cards.calls(limit=limit)


def resolve(uow: UnitOfWork, call: str) -> str:
    """The uniqueid of the first leg: `call` itself or, for `last`, that of the newest call.

    Raises NotFound when there is no such call.
    """
    if call == LAST:
        newest = uow.cards.calls(limit=1)
        if not newest:
            raise NotFound("there has been no call yet")
        return newest[0].call
    if uow.cards.contact(call) is None and not uow.traces.of_call(call):
        raise NotFound(f"there is no call {call}; `ekc calls list` shows them")
    return call


def trace(uow: UnitOfWork, call: str, *, after: int = 0) -> Sequence[tuple[int, TraceEvent]]:
    """(sequence number, event) later than `after`."""
    return uow.traces.of_call(call, after=after)


def over(uow: UnitOfWork, call: str) -> bool:
    """Whether the call has ended and its contact is settled; its `end` follows within moments."""
    contact = uow.cards.contact(call)
    return contact is not None and contact.outcome is not None


def view(row: CallRow) -> dict[str, object]:
    """A call with the keys of the outer interface; the number is in clear."""
    return {
        "call": row.call,
        "at": row.at,
        "number": row.number,
        "card": row.card,
        "state": row.state,
        "outcome": row.outcome.value if row.outcome else None,
    }


def view_event(event: TraceEvent) -> dict[str, object]:
    """A trace event with the keys of the outer interface."""
    return {"at": event.at, "kind": event.kind, "id": event.id, "outcome": event.outcome}
