"""The life of a callback (исходящий вызов): its states, its sources and the allowed transitions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import BadInput


class Source(StrEnum):
    """Why the citizen is to be called."""

    QUEUE = "queue"  # asked for it while waiting
    ABANDONED = "abandoned"  # gone after asking for an operator
    CLOSED = "closed"  # called outside working hours and pressed 1
    EMERGENCY = "emergency"  # asked for it on the emergency path
    CRASH = "crash"  # our failure ended the call
    AGREED = "agreed"  # date and time agreed with the citizen (§13)
    DEFERRED = "deferred"  # the answer takes time (§14)


class State(StrEnum):
    """Where a callback stands."""

    REQUESTED = "requested"  # registered, not yet taken up by the scheduler
    WAITING = "waiting"  # its time is known and has not come
    QUEUED = "queued"  # its leg holds a place in the queue
    DIALLING_OPERATOR = "dialling_operator"  # an operator's phone rings for it
    DIALLING_CITIZEN = "dialling_citizen"  # the citizen's phone rings
    TALKING = "talking"  # both are in one bridge
    RETRY = "retry"  # the attempt failed; another one follows
    DONE = "done"  # the citizen was served
    GIVEN_UP = "given_up"  # the retry plan is exhausted
    CANCELLED = "cancelled"  # withdrawn by hand
    SUPERSEDED = "superseded"  # the citizen was served by another call


_ENDS = (State.CANCELLED, State.SUPERSEDED, State.GIVEN_UP)
"""Given up before the first attempt: a number that may not be dialled."""
TRANSITIONS: dict[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.WAITING, *_ENDS}),
    State.WAITING: frozenset({State.QUEUED, State.DIALLING_CITIZEN, *_ENDS}),
    State.QUEUED: frozenset({State.DIALLING_OPERATOR, State.DIALLING_CITIZEN, State.RETRY, *_ENDS}),
    State.DIALLING_OPERATOR: frozenset({State.DIALLING_CITIZEN, State.QUEUED, State.RETRY, *_ENDS}),
    State.DIALLING_CITIZEN: frozenset({State.TALKING, State.DONE, State.RETRY, *_ENDS}),
    State.TALKING: frozenset({State.DONE, State.RETRY, State.GIVEN_UP}),
    # done: an attempt of unknown outcome turned out, by journals that were read late, to have served
    State.RETRY: frozenset({State.QUEUED, State.DIALLING_CITIZEN, State.DONE, *_ENDS}),
    State.DONE: frozenset(),
    State.GIVEN_UP: frozenset(),
    State.CANCELLED: frozenset(),
    State.SUPERSEDED: frozenset(),
}
OPEN_STATES = frozenset(state for state, following in TRANSITIONS.items() if following)
LEG_STATES = frozenset({State.QUEUED, State.DIALLING_OPERATOR})
"""A leg is under way and the citizen has not been dialled."""
DIALLED_STATES = frozenset({State.DIALLING_CITIZEN, State.TALKING})
"""The citizen has been dialled; how it ended is not known yet."""
PENDING_STATES = frozenset({State.WAITING, State.RETRY})
"""To be dialled once `due` has come."""
UNKNOWN = ContactOutcome.UNKNOWN.value
"""The result of an attempt until more is known; it counts as made (architecture.md, rule 7)."""
_FAR = "-far"
_CALL = re.compile(r"ekc-cb-([0-9A-HJKMNP-TV-Z]{26})-([1-9][0-9]{0,5})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One INVITE to the citizen, or the promise of one: the row is older than the INVITE."""

    at: datetime
    result: str = UNKNOWN
    """A ContactOutcome."""
    leg: int = 0
    """Of the callback; 0: not one of ours."""


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A promise to call somebody back."""

    id: str
    card: str
    number: str
    """E.164."""
    source: Source
    state: State = State.REQUESTED
    queue: str
    """The queue whose operators are to talk to the citizen."""
    arrived_at: datetime
    """When the citizen's first call of this enquiry arrived: the place in the order."""
    due: datetime
    """Not dialled before."""
    attempts: tuple[Attempt, ...] = ()
    operator: str | None = None
    """Extension of the one who is to talk to the citizen if it can be had (§13, §14)."""
    leg: int = 0
    """How many legs were begun; the last one's number."""
    leg_at: datetime | None = None
    """When the last one was begun."""
    node: str = ""
    """Whose Asterisk carries the last leg."""

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def citizen_first(self) -> bool:
        """No operator is rung before the citizen has answered: a time was agreed (§13)."""
        return self.source is Source.AGREED

    @property
    def call(self) -> str:
        """Uniqueid of the last leg's first channel."""
        return call_of(self.id, self.leg)

    def attempt_of(self, leg: int) -> Attempt | None:
        """A leg leads to one attempt at most."""
        return next((attempt for attempt in self.attempts if attempt.leg == leg), None)

    def move(self, to: State) -> Callback:
        """This callback in its next state; raises BadInput where the life cycle has no such step."""
        if to not in TRANSITIONS[self.state]:
            raise BadInput(f"callback {self.id} is {self.state}; it cannot become {to}")
        return replace(self, state=to)


def call_of(id_: str, leg: int) -> str:
    """Uniqueid of a leg's first channel, by which all that belongs to the attempt is linked."""
    return f"ekc-cb-{id_}-{leg}"


def waiting_call(call: str) -> str:
    """Uniqueid of the channel that waits in the queue for a leg which calls the operator first."""
    return call + _FAR


def leg_call(call: str) -> str | None:
    """Uniqueid of the leg that a waiting channel, or the leg itself, belongs to; None: to no callback."""
    own = call.removesuffix(_FAR)
    return own if leg_of(own) is not None else None


def leg_of(call: str) -> tuple[str, int] | None:
    """(callback id, leg) of such a uniqueid; None for any other call."""
    found = _CALL.fullmatch(call)
    return None if found is None else (found[1], int(found[2]))
