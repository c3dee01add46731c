"""What a run leaves behind, as values: the citizens' side, the operators' side, the product's files and rows.

The audit (audit.py) knows nothing else, so its tests make such values by hand. Times are seconds since the
epoch. Nothing here comes from the product's own code: who counts with the product's eyes is blind with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """One call as the caller's sipp saw it."""

    call_id: str
    """SIP Call-ID: arrivals.log has the same."""
    number: str
    """As sent in From; `anonymous` for a number that is withheld."""
    script: str
    """citizens.SCRIPTS"""
    invited_at: float
    trying_at: float | None
    """When the first answer came, 100 Trying: this call was offered to the line. None: none came."""
    status: int
    """The final answer to INVITE; 0: none came."""
    wished_operator: bool
    """Pressed 0 and the line took the key."""
    hung_up_at: float | None
    """Sent BYE because the script said so, or in despair."""
    bye_answered: bool
    """That BYE was answered with 200: the line still knew the call."""
    cut: bool
    """A request of the script within the call was refused (481), or got no answer: the call was dead."""
    ended_by_line_at: float | None
    """Received BYE."""

    @property
    def trying(self) -> bool:
        return self.trying_at is not None


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A line of arrivals.log."""

    at: float
    call: str
    call_id: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    call: str
    card: str
    direction: str
    at: float
    outcome: str | None


@dataclass(frozen=True, kw_only=True)
class CardRow:
    id: str
    outcome: str | None
    closed_at: float | None


@dataclass(frozen=True, kw_only=True)
class CallbackRow:
    id: str
    card: str
    source: str
    state: str
    number_hash: str
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A call that an operator's telephone answered."""

    number: str
    since: float
    until: float | None
    hung_up: bool
    """The operator ended it."""


@dataclass(frozen=True, kw_only=True)
class Dialled:
    """A call that a citizen's telephone got, as the sipp behind the trunk saw it."""

    number: str
    invited_at: float
    answered_at: float | None
    ended_at: float | None
    """BYE, CANCEL or refusal, from whichever side; None: it goes on."""
    cut: bool = False
    """The citizen hung up and nobody answered: whoever had called was gone, so this is no talk to rely on."""


@dataclass(frozen=True, kw_only=True)
class Blow:
    """Something that was done to the system."""

    kind: str
    at: float
    calls: int
    """In progress at that moment, by sipp's count."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All of it."""

    citizens: Sequence[Citizen] = ()
    arrivals: Sequence[Arrived] = ()
    queued: frozenset[str] = frozenset()
    """Uniqueids that entered a queue, by queue_log."""
    told: frozenset[str] = frozenset()
    """Uniqueids whose trace says that the status was told."""
    joined: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """When called citizens were let into a bridge, by callback, as far as Asterisk's journal knows."""
    contacts: Sequence[Contact] = ()
    cards: Sequence[CardRow] = ()
    callbacks: Sequence[CallbackRow] = ()
    ends: Mapping[str, int] = field(default_factory=dict)
    """`end` events in the trace, by call."""
    talks: Sequence[Talk] = ()
    dialled: Sequence[Dialled] = ()
    blows: Sequence[Blow] = ()
    kinds: Sequence[str] = ()
    """Of blows that this run is to deal."""
    channels: Sequence[str] = ()
    """Of Asterisk, when nobody calls any more."""
    descriptors: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Open files by process: before the first call, and when nobody calls any more."""
    processes: Sequence[str] = ()
    """That are there at the end and are none of the system's parts."""
    reconciled: Mapping[str, object] | None = None
    """What `ekc reconcile --json` says; None where there is no such command."""


def grouped(items: Iterable[T], key: Callable[[T], str]) -> Mapping[str, Sequence[T]]:
    """By key, in the order of the items."""
    found: dict[str, list[T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found
