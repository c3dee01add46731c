"""Nobody is lost: each arrival is a closed contact, a call in progress, or a lost citizen. Pure.

The arrivals file says who came, the database what became of them, the telephone switch who is still there
(architecture.md, rule 1). Who was not served is owed a callback unasked, if the caller had reached a queue,
had asked for an operator, or our failure ended the call. Not for a hang-up in greeting or menu, for silence,
for self-service, for a closed line without `1`, nor for who was offered one and wanted none: a card only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ivr.domain.callback import Source
from ivr.domain.enquiry import ContactOutcome, Outcome

_WAITED = frozenset(
    {
        ContactOutcome.ABANDONED_QUEUE,
        ContactOutcome.TOO_SHORT,
        ContactOutcome.NO_ANSWER,  # said by an operator (`*9`) of somebody who had waited
        ContactOutcome.MACHINE,
    }
)
"""Outcomes of inbound contacts that reached a queue and were not served."""
_UNSERVED = frozenset({Outcome.ABANDONED, Outcome.LOST_BY_CRASH})
"""How the card of somebody ends who was neither served nor promised anything."""


def owed(outcome: ContactOutcome, *, wanted: bool) -> Source | None:
    """What kind of callback an inbound contact that ended so is owed unasked; None: none.

    wanted: the caller had asked for an operator, or was given to a queue.
    """
    if outcome is ContactOutcome.LOST_BY_CRASH:
        return Source.CRASH
    if outcome in _WAITED or (outcome is ContactOutcome.ABANDONED_IVR and wanted):
        return Source.ABANDONED
    return None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Somebody who came: a line of the arrivals file."""

    node: str
    call: str
    """Uniqueid of the citizen's leg."""
    at: datetime
    number: str | None
    """E.164; None: withheld, unknown or rubbish."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the database has of one arrival."""

    call: str
    card: str
    outcome: ContactOutcome | None
    """Of the contact, as the engine recorded it or the journals settled it."""
    card_outcome: Outcome | None
    settled: bool
    """The journals have told the end, and it is written down for good."""
    wanted: bool = False
    """See `owed`."""
    callbacks: int = 0
    """Callbacks that were made on this card because of this call; of agreed and deferred ones none."""
    answered: bool = False
    """Of a call that is owed a callback its card has none of: the number has one on an earlier card, the
    citizen was served in another call since, or wanted none."""


class Fate(StrEnum):
    """What an arrival is, seen from both sides."""

    CLOSED = "closed"  # its contact is settled, and what it is owed is there
    IN_PROGRESS = "in_progress"  # the caller is still there
    LOST = "lost"  # neither; or settled without the callback that it is owed


class Why(StrEnum):
    """What is wrong with an arrival."""

    NO_CARD = "no_card"  # the database knows nothing of this call
    NO_END = "no_end"  # the call is over and its contact is open
    NO_CALLBACK = "no_callback"  # it ended unserved and nobody will call back
    TWO_CARDS = "two_cards"  # one call, several contacts
    TWO_CALLBACKS = "two_callbacks"  # one call, several callbacks
    NO_NUMBER = "no_number"  # owed a callback; the number is withheld, unknown or not to be dialled


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An arrival that is to be looked at, and why."""

    arrival: Arrival
    why: Why
    card: str | None


@dataclass(frozen=True, kw_only=True)
class Account:
    """Arrivals and what became of them: arrivals = closed + in_progress + lost."""

    arrivals: int
    closed: int
    in_progress: int
    lost: tuple[Finding, ...] = ()
    doubled: tuple[Finding, ...] = ()
    """They count as closed or in progress, too."""
    unreachable: tuple[Finding, ...] = ()
    """Closed, unserved, and nobody can call back: told, and no disagreement."""

    @property
    def agrees(self) -> bool:
        return not self.lost and not self.doubled


def account(
    arrivals: Sequence[Arrival],
    standings: Mapping[tuple[str, str], Sequence[Standing]],
    *,
    live: Set[str],
    dialable: Callable[[str], bool],
) -> Account:
    """Compare. standings: by (node, call). live: uniqueids of channels that are up now.

    A call that is in the file twice is one arrival: a file that was cut or put back may repeat lines.
    """
    once = {(arrival.node, arrival.call): arrival for arrival in arrivals}
    lost, doubled, unreachable, fates = [], [], [], []
    for key, arrival in once.items():
        found = standings.get(key, ())
        fate, why = _fate(arrival, found, up=arrival.call in live, dialable=dialable)
        fates.append(fate)
        card = found[0].card if found else None
        if fate is Fate.LOST and why is not None:
            lost.append(Finding(arrival=arrival, why=why, card=card))
        elif why is Why.NO_NUMBER:
            unreachable.append(Finding(arrival=arrival, why=why, card=card))
        if (twice := _doubled(found)) is not None:
            doubled.append(Finding(arrival=arrival, why=twice, card=card))
    return Account(
        arrivals=len(once),
        closed=fates.count(Fate.CLOSED),
        in_progress=fates.count(Fate.IN_PROGRESS),
        lost=tuple(lost),
        doubled=tuple(doubled),
        unreachable=tuple(unreachable),
    )


def _fate(
    arrival: Arrival, found: Sequence[Standing], *, up: bool, dialable: Callable[[str], bool]
) -> tuple[Fate, Why | None]:
    settled = next((standing for standing in found if standing.settled), None)
    if settled is None or settled.outcome is None:
        if up:
            return Fate.IN_PROGRESS, None
        return Fate.LOST, Why.NO_END if found else Why.NO_CARD
    if owed(settled.outcome, wanted=settled.wanted) is None or not _unanswered(settled):
        return Fate.CLOSED, None
    if arrival.number is None or not dialable(arrival.number):
        return Fate.CLOSED, Why.NO_NUMBER
    return Fate.LOST, Why.NO_CALLBACK


def _unanswered(standing: Standing) -> bool:
    """Whether the debt stands open: no callback of the call's own, none elsewhere, not served since.

    A card whose outcome somebody has changed since (served, deferred) is no longer ours to judge.
    """
    promised = standing.card_outcome is Outcome.CALLBACK
    return (
        standing.callbacks == 0
        and not standing.answered
        and (promised or standing.card_outcome in _UNSERVED or standing.card_outcome is None)
    )


def _doubled(found: Sequence[Standing]) -> Why | None:
    if len({standing.card for standing in found}) > 1:
        return Why.TWO_CARDS
    return Why.TWO_CALLBACKS if any(standing.callbacks > 1 for standing in found) else None
