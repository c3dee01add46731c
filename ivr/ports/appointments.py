"""Storage of what is to be done at a time: deferred enquiries (§14), agreed calls (§13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ivr.domain.deferred import Deferred


class DeferredEnquiries(Protocol):
    def put(self, deferred: Deferred) -> None:
        """Store it, instead of the one its card had. Raises NotFound when there is no such card."""
        ...

    def of_card(self, card: str) -> Deferred | None:
        """By the card's id; in PostgreSQL nobody else changes it until the end of the transaction."""
        ...

    def list(self, *, open_only: bool = False) -> Sequence[Deferred]:
        """In the order of registration."""
        ...

    def registered(self, since: datetime, until: datetime) -> Sequence[Deferred]:
        """Those of enquiries registered in this time (`until` itself not), oldest first."""
        ...


class Typed(NamedTuple):
    """A callback to another number than the caller's own."""

    arrived_at: datetime
    """Of the call in which it was asked for."""
    open: bool


class Agreements(Protocol):
    """What callbacks have been promised: places in slots, other numbers."""

    def taken(self, since: datetime, until: datetime, *, besides: str = "") -> Sequence[datetime]:
        """Times of the open agreed calls but this callback's, `until` itself not.

        Until the end of the transaction nobody else takes a place: read this, then store the callback.
        """
        ...

    def typed(self, number: str, *, since: datetime) -> Sequence[Typed]:
        """Callbacks that callers from this number (E.164) have directed to another number, oldest first."""
        ...
