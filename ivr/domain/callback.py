"""The life of a callback (исходящий вызов): its states, its sources and the allowed transitions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

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


_ENDS = (State.CANCELLED, State.SUPERSEDED)
TRANSITIONS: dict[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.WAITING, *_ENDS}),
    State.WAITING: frozenset({State.QUEUED, State.DIALLING_CITIZEN, *_ENDS}),
    State.QUEUED: frozenset({State.DIALLING_OPERATOR, State.RETRY, *_ENDS}),
    State.DIALLING_OPERATOR: frozenset(
        {State.DIALLING_CITIZEN, State.TALKING, State.QUEUED, State.RETRY, *_ENDS}
    ),
    State.DIALLING_CITIZEN: frozenset(
        {State.DIALLING_OPERATOR, State.TALKING, State.RETRY, State.GIVEN_UP, *_ENDS}
    ),
    State.TALKING: frozenset({State.DONE, State.RETRY, State.GIVEN_UP}),
    State.RETRY: frozenset({State.QUEUED, State.DIALLING_CITIZEN, State.GIVEN_UP, *_ENDS}),
    State.DONE: frozenset(),
    State.GIVEN_UP: frozenset(),
    State.CANCELLED: frozenset(),
    State.SUPERSEDED: frozenset(),
}
OPEN_STATES = frozenset(state for state, following in TRANSITIONS.items() if following)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try to reach the citizen."""

    at: datetime
    result: str


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
    attempts: tuple[Attempt, ...] = ()

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES

    def move(self, to: State) -> Callback:
        """This callback in its next state; raises BadInput where the life cycle has no such step."""
        if to not in TRANSITIONS[self.state]:
            raise BadInput(f"callback {self.id} is {self.state}; it cannot become {to}")
        return replace(self, state=to)
