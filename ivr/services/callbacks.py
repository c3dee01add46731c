"""Callbacks as the administrator sees them: list, show, cancel. (Dialling them is the scheduler's.)"""

from __future__ import annotations

from collections.abc import Sequence

from ivr.domain.callback import Callback, State
from ivr.ports import UnitOfWork
from ivr.services.audit import By


def listed(uow: UnitOfWork, *, open_only: bool = False) -> Sequence[Callback]:
    """In the order of due."""
    return uow.callbacks.list(open_only=open_only)


def cancel(uow: UnitOfWork, by: By, id_: str) -> Callback:
    """Withdraw a callback. Raises NotFound, and BadInput where the life cycle has no way to `cancelled`."""
    callback = uow.callbacks.get(id_).move(State.CANCELLED)
    uow.callbacks.save(callback)
    by.note(uow, "callbacks.cancel", callback.id)
    return callback


def view(callback: Callback) -> dict[str, object]:
    """A callback with the keys of the outer interface; the number is in clear."""
    return {
        "id": callback.id,
        "card": callback.card,
        "number": callback.number,
        "source": callback.source.value,
        "state": callback.state.value,
        "due": callback.due,
        "attempts": [{"at": attempt.at, "result": attempt.result} for attempt in callback.attempts],
    }
