"""Calls to citizens: the legs of callbacks, made and seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class CallbackLeg:
    """One leg of a callback, as the telephone switch is to make it."""

    callback: str
    leg: int
    queue: str
    place: int | None = None
    """The place in the queue, from 1; None: behind everybody."""
    operator: str = ""
    """Extension of the one who is rung first; empty: whoever is free."""
    operator_seconds: float = 0.0
    """For how long."""
    number: str = ""
    """E.164. Of a leg that calls the citizen first, its attempt is committed; empty: the operator comes
    first, and what is dialled is asked for then (AGI route `callback-dial`)."""
    seconds: float
    """How long it may hold its place; of one that calls the citizen first: how long that may ring."""


class Outbound(Protocol):
    """Makes the legs of callbacks."""

    async def begin(self, leg: CallbackLeg) -> None:
        """Make the leg; returns once the switch has taken it over, or has ended it.

        Its first channel's uniqueid is `ivr.domain.callback.call_of`; one that is alive is not made twice.
        Raises Unavailable: then it may have been made all the same.
        """
        ...

    async def end(self, call: str) -> None:
        """Hang up a leg by its uniqueid, with all that belongs to it. Being gone is as good."""
        ...

    async def alive(self) -> frozenset[str]:
        """Uniqueids of the callbacks' legs of this node that are there. Raises Unavailable."""
        ...


@dataclass(frozen=True, kw_only=True)
class CallbackCounts:
    """How many callbacks there are, for the metrics and `ekc callbacks stats`."""

    by_state: Mapping[str, int]
    by_source: Mapping[str, int]
    """Open ones."""
    oldest_due: datetime | None
    """Of those whose time has come and that are not under way."""
