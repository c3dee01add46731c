"""Who was lost, who was called twice, what was left behind: decided from evidence alone (evidence.py).

Every rule is a function that yields what it finds, one sentence each; a run is clean when no rule finds
anything and every kind of blow was dealt. docs/chaos.md says in words what each rule holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from tests.chaos import dialling, remains
from tests.chaos.dialling import SERVED_SECONDS
from tests.chaos.evidence import Arrived, CardRow, Citizen, Contact, Evidence, Talk, grouped
from tests.chaos.findings import Fault, Finding

SURELY_SERVED = 15.0
"""Seconds on an operator's telephone that hold a talk of five in any case: it is told first who comes."""
KILLS_ASTERISK = frozenset({"asterisk_kill", "supervisor_kill"})
ARRIVING_SECONDS = 0.1
"""From 100 Trying to the line in arrivals.log it takes some milliseconds, more when the processor is busy."""
SAME_MOMENT = 4.0
"""Seconds between INVITE and the contact that the engine made of it, where no arrival could be written."""
ANSWERED_OTHERWISE = frozenset({"served", "self_service", "transferred"})
_CARD_OF = {
    "self_service": {"self_service", "callback", "deferred"},
    "served": {"served", "callback", "deferred"},
    "lost_by_crash": {"lost_by_crash", "callback", "served"},
    "silence": {"silence", "callback", "served"},
    "closed_hours": {"closed_hours", "callback", "served"},
    "refused": {"refused", "callback", "served"},
}
"""What a card may say when its first contact says so."""
_UNSERVED = {"abandoned", "callback", "served"}
"""The same for every other outcome of a contact."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """The evidence, with what belongs together found once."""

    evidence: Evidence

    @cached_property
    def arrived(self) -> Mapping[str, Sequence[Arrived]]:
        """By SIP Call-ID."""
        return grouped(self.evidence.arrivals, lambda a: a.call_id)

    @cached_property
    def number_of(self) -> Mapping[str, str]:
        """By uniqueid, the ten digits that matter; empty when the number was withheld."""
        return {a.call: a.number[-10:] for a in self.evidence.arrivals}

    @cached_property
    def contact(self) -> Mapping[str, Contact]:
        return {c.call: c for c in self.evidence.contacts}

    @cached_property
    def card(self) -> Mapping[str, CardRow]:
        return {c.id: c for c in self.evidence.cards}

    @cached_property
    def numbers_of_card(self) -> Mapping[str, str]:
        """Card id → the number of its inbound call."""
        inbound = [c for c in self.evidence.contacts if c.direction == "inbound"]
        return {c.card: self.number_of.get(c.call, "") for c in inbound}

    @cached_property
    def called_back(self) -> frozenset[str]:
        """Numbers that have, or had, a callback."""
        return frozenset(self.numbers_of_card.get(c.card, "") for c in self.evidence.callbacks)

    @cached_property
    def served(self) -> Mapping[str, float]:
        """Number → when somebody was last served who called from it or was called at it."""
        found: dict[str, float] = {}
        for contact in self.evidence.contacts:
            if contact.outcome == "served":
                number = self.numbers_of_card.get(contact.card, "")
                found[number] = max(found.get(number, 0.0), contact.at)
        return found

    @cached_property
    def by_call(self) -> Mapping[str, Citizen]:
        """The citizen's side of a call of ours, by uniqueid."""
        calls = {c.call_id: c for c in self.evidence.citizens}
        return {a.call: calls[a.call_id] for a in self.evidence.arrivals if a.call_id in calls}


# --- lost --------------------------------------------------------------------------------------------


def never_recorded(case: Case) -> Iterator[Finding]:
    """A call that got 100 Trying stands in arrivals.log, or at least on a card that the engine opened."""
    known = set(case.number_of)
    spare = sorted(c.at for c in case.evidence.contacts if c.direction == "inbound" and c.call not in known)
    for citizen in sorted(case.evidence.citizens, key=lambda c: c.invited_at):
        if not citizen.trying or citizen.call_id in case.arrived or cut_at_arrival(citizen, case.evidence):
            continue
        near = next((at for at in spare if 0 <= at - citizen.invited_at + 1.0 <= SAME_MOMENT), None)
        if near is None:
            yield Finding(fault=Fault.LOST, subject=citizen.call_id, why="offered, but it never arrived")
        else:
            spare.remove(near)


def cut_at_arrival(citizen: Citizen, evidence: Evidence) -> bool:
    """Asterisk was killed in the moment of its 100 Trying, which it sends before the dialplan has its turn.

    Nothing of this call can be on the disk, and its caller has heard nothing. Counted and printed apart.
    """
    if (
        citizen.trying_at is None
        or citizen.status
        or citizen.call_id in {a.call_id for a in evidence.arrivals}
    ):
        return False
    deaths = [blow.at for blow in evidence.blows if blow.kind in KILLS_ASTERISK]
    return any(abs(at - citizen.trying_at) <= ARRIVING_SECONDS for at in deaths)


def without_card(case: Case) -> Iterator[Finding]:
    """Each arrival has a contact that has ended, on a card that is closed."""
    for arrival in case.evidence.arrivals:
        contact = case.contact.get(arrival.call)
        card = case.card.get(contact.card) if contact else None
        why = (
            "arrived, but has no contact"
            if contact is None
            else "its contact never ended"
            if contact.outcome is None
            else "its contact is on no card"
            if card is None
            else "its card was never closed"
            if card.outcome is None
            else None
        )
        if why is not None:
            yield Finding(fault=Fault.LOST, subject=arrival.call, why=why)


def not_called_back(case: Case) -> Iterator[Finding]:
    """Who was not served and is owed a callback has one, unless served by a later call."""
    for arrival in case.evidence.arrivals:
        contact, number = case.contact.get(arrival.call), case.number_of[arrival.call]
        if contact is None or contact.outcome is None or not number:
            continue
        reason = _owed(case, arrival, contact.outcome)
        later = number in case.served and case.served[number] >= contact.at
        if reason and not later and number not in case.called_back:
            why = f"{reason}, {contact.outcome}, and no callback"
            yield Finding(fault=Fault.LOST, subject=arrival.call, why=why)


def _owed(case: Case, arrival: Arrived, outcome: str) -> str | None:
    """Why this caller is owed a callback (interface.md, issue 6); None: a card is enough."""
    citizen = case.by_call.get(arrival.call)
    if outcome in ANSWERED_OTHERWISE:
        return None
    if arrival.call in case.evidence.queued:
        return "reached a queue"
    if outcome == "lost_by_crash":
        return "lost by a crash"
    if citizen is None:
        return None
    if citizen.wished_operator:
        return "asked for an operator"
    return "the line failed" if failed(citizen) else None


def failed(citizen: Citizen) -> bool:
    """The call ended otherwise than by the caller's BYE that the line answered, or by the line's own."""
    if citizen.ended_by_line_at is not None:
        return False
    if citizen.status == 200:
        return citizen.cut or not citizen.bye_answered
    return citizen.trying


# --- doubled -----------------------------------------------------------------------------------------


def doubled(case: Case) -> Iterator[Finding]:
    """A call has one arrival, contact and end; an enquiry one callback; a number one that is open."""
    evidence = case.evidence
    inbound = [c for c in evidence.contacts if c.direction == "inbound"]
    open_ = [c.number_hash for c in evidence.callbacks if c.state not in dialling.ENDED]
    ours = {c.call_id for c in evidence.citizens}
    yield from _twice((a.call_id for a in evidence.arrivals if a.call_id in ours), "arrived more than once")
    yield from _twice((c.call for c in evidence.contacts), "has more than one contact")
    yield from _twice((c.card for c in inbound), "is the card of more than one inbound call")
    yield from _twice((c.card for c in evidence.callbacks), "is the card of more than one callback")
    yield from _twice(open_, "has more than one open callback")
    for call, ends in evidence.ends.items():
        if ends > 1:
            yield Finding(fault=Fault.DOUBLED, subject=call, why=f"ended {ends} times in its trace")


def _twice(names: Iterator[str] | Sequence[str], why: str) -> Iterator[Finding]:
    for name, times in Counter(names).items():
        if times > 1:
            yield Finding(fault=Fault.DOUBLED, subject=name, why=why)


# --- wrong -------------------------------------------------------------------------------------------


def served_or_not(case: Case) -> Iterator[Finding]:
    """`served` is what an operator's telephone has seen, too; a plain talk that both saw is `served`."""
    talks = grouped(case.evidence.talks, lambda talk: talk.number[-10:])
    for call, citizen in case.by_call.items():
        contact, number = case.contact.get(call), case.number_of[call]
        if contact is None or not number:
            continue
        seen = [talk for talk in talks.get(number, ()) if _within(talk, citizen)]
        if contact.outcome == "served" and not any(_seconds(talk) >= SERVED_SECONDS for talk in seen):
            why = f"served, but no operator's telephone talked {SERVED_SECONDS:g} s with it"
            yield Finding(fault=Fault.WRONG_STATES, subject=call, why=why)
        sure = any(_seconds(talk) >= SURELY_SERVED and talk.hung_up for talk in seen)
        if contact.outcome != "served" and sure and citizen.ended_by_line_at is not None:
            why = f"talked with an operator, but {contact.outcome}"
            yield Finding(fault=Fault.WRONG_STATES, subject=call, why=why)


def _within(talk: Talk, citizen: Citizen) -> bool:
    """The talk began while this call went on; the same number may call again, or be called."""
    ends = [at for at in (citizen.hung_up_at, citizen.ended_by_line_at) if at is not None]
    return citizen.invited_at <= talk.since <= min(ends, default=inf)


def _seconds(talk: Talk) -> float:
    return 0.0 if talk.until is None else talk.until - talk.since


def cards_and_contacts(case: Case) -> Iterator[Finding]:
    """A card says what its contact says; one that promises a callback has one; every call has its end."""
    promised = {c.card for c in case.evidence.callbacks}
    for contact in case.evidence.contacts:
        card = case.card.get(contact.card)
        if contact.direction != "inbound" or card is None or contact.outcome is None or card.outcome is None:
            continue
        allowed = _CARD_OF.get(contact.outcome, _UNSERVED)
        if card.outcome not in allowed:
            why = f"its card says {card.outcome}, its contact {contact.outcome}"
            yield Finding(fault=Fault.WRONG_STATES, subject=contact.call, why=why)
        if card.outcome == "callback" and card.id not in promised and not _elsewhere(case, contact):
            why = "its card promises a callback that is not there"
            yield Finding(fault=Fault.WRONG_STATES, subject=contact.call, why=why)
        if card.closed_at is None:
            yield Finding(fault=Fault.WRONG_STATES, subject=contact.call, why="its card is closed at no time")
        if case.evidence.ends.get(contact.call, 0) == 0:
            yield Finding(fault=Fault.WRONG_STATES, subject=contact.call, why="its trace has no end")


def _elsewhere(case: Case, contact: Contact) -> bool:
    """The promise stands on the card of another call from the same number (one open callback a number)."""
    number = case.numbers_of_card.get(contact.card, "")
    return bool(number) and number in case.called_back


def reconciled(case: Case) -> Iterator[Finding]:
    """`ekc reconcile`, the product's own audit, agrees that nobody is lost and nothing doubled."""
    for key in ("lost", "doubled"):
        found = (case.evidence.reconciled or {}).get(key)
        if found:
            yield Finding(fault=Fault.WRONG_STATES, subject="ekc reconcile", why=f"{key}: {found}")


_Rule = Callable[[Case], Iterator[Finding]]
RULES: Sequence[_Rule] = (
    never_recorded,
    without_card,
    not_called_back,
    doubled,
    served_or_not,
    cards_and_contacts,
    reconciled,
)


def audit(evidence: Evidence) -> list[Finding]:
    """What is wrong; empty for a clean run."""
    case = Case(evidence=evidence)
    found = [finding for rule in RULES for finding in rule(case)]
    return [*found, *dialling.audit(evidence), *remains.audit(evidence)]
