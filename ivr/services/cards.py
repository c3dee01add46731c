"""Cards (§15): reading, which is audited wherever text of a citizen is shown, and editing by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from ivr.domain.enquiry import Card, Contact, enquiry_outcome
from ivr.domain.errors import BadInput, NotFound
from ivr.ports import CardSearch, UnitOfWork
from ivr.services import agreed, deferred, working_day
from ivr.services.audit import By
from ivr.settings import Settings

LAST = "last"
LONGEST_TEXT = 10_000
"""Characters of one text field."""
LONGEST_TITLE = 200
"""Characters of a topic."""
KEYS = (
    "id",
    "registration_number",
    "registered_at",
    "closed_at",
    "number",
    "level",
    "agency",
    "topics",
    "questions",
    "comment",
    "callback_at",
    "answer_source",
    "answer",
    "confirmed",
    "operator",
    "outcome",
    "contacts",
)
"""The keys of a card in the outer interface, in order."""
CONTACT_KEYS = ("call", "direction", "at", "waiting_s", "talking_s", "wrapup_s", "outcome")
_END_OF_TALK = frozenset({"COMPLETEAGENT", "COMPLETECALLER", "BRIDGE_EXIT"})
"""Journal events (queue_log, CEL) after which nobody talks with the citizen any more."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What is to be changed; None leaves a field as it is."""

    questions: str | None = None
    comment: str | None = None
    answer_source: str | None = None
    answer: str | None = None
    confirmed: bool | None = None
    callback_at: datetime | None = None
    topics: tuple[tuple[str, str], ...] = ()
    """(agency code, title) to add."""
    complete: bool = False
    defer: bool = False
    """§14: the answer takes time."""

    def fields(self) -> dict[str, object]:
        """The fields of Card to set, by name."""
        names = ("questions", "comment", "answer_source", "answer", "confirmed")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def names(self) -> tuple[str, ...]:
        """What changes, without a value: this much may stand in the audit."""
        return (
            *self.fields(),
            *(("callback_at",) if self.callback_at is not None else ()),
            *(("topics",) if self.topics else ()),
            *(("defer",) if self.defer else ()),
            *(("complete",) if self.complete else ()),
        )


def find(uow: UnitOfWork, id_: str) -> Card:
    """By id, registration number or `last`, the newest one. Raises NotFound."""
    if id_ != LAST:
        return uow.cards.get(id_)
    newest = uow.cards.list(limit=1)
    if not newest:
        raise NotFound("there is no card yet")
    return newest[0]


def show(uow: UnitOfWork, by: By, id_: str) -> Card:
    """One card, read with its texts: audited. Raises NotFound."""
    card = find(uow, id_)
    by.note(uow, "cards.show", card.id)
    return card


def listed(
    uow: UnitOfWork, by: By, wanted: CardSearch, *, limit: int | None = None, texts: bool
) -> Sequence[Card]:
    """Cards, newest first. texts: the reader will see them, so every card that has any is audited.

    Who names a number or a SNILS learns whose the cards are, so each that is found is audited, too.
    """
    cards = uow.cards.search(wanted, limit=limit)
    if wanted.number is not None or wanted.snils is not None:
        _note_each(uow, by, "cards.search", cards)
    if texts:
        _note_each(uow, by, "cards.list", (card for card in cards if has_text(card)))
    return cards


def exported(uow: UnitOfWork, by: By, *, since: datetime | None = None) -> Sequence[Card]:
    """Cards for a file, newest first, each audited."""
    cards = uow.cards.list(since=since)
    _note_each(uow, by, "cards.export", cards)
    return cards


def edit(uow: UnitOfWork, by: By, id_: str, change: Edit, settings: Settings) -> Card:
    """Change a card as `change` says; the audit names the fields, not the values.

    Raises NotFound, and BadInput before anything is changed.
    """
    card = find(uow, id_)
    if not change.names():
        raise BadInput("there is nothing to change; name a field, for instance --comment TEXT")
    _check(uow, by, card, change)
    if change.callback_at is not None:
        agreed.agree(uow, by, card, change.callback_at, settings)
    if change.defer:
        deferred.mark(uow, by, card, settings)
    if fields := change.fields():
        uow.cards.change(card.id, **fields)
    for agency, title in change.topics:
        uow.cards.add_topic(card.id, agency=agency, topic=title)
    if change.complete:
        _complete(uow, by, card, settings.wrapup_seconds)
    by.note(uow, "cards.edit", card.id, result=",".join(change.names()))
    return uow.cards.get(card.id)


def has_text(card: Card) -> bool:
    """Whether the card carries free text about a citizen."""
    return bool(card.questions or card.comment or card.answer or card.answer_source)


def view(card: Card) -> dict[str, object]:
    """A card with the keys of the outer interface; number and texts are in clear."""
    row = {key: getattr(card, key) for key in KEYS}
    return {**row, "topics": list(card.topics), "contacts": [_contact(contact) for contact in card.contacts]}


def _contact(contact: Contact) -> dict[str, object]:
    return {key: getattr(contact, key) for key in CONTACT_KEYS}


def _note_each(uow: UnitOfWork, by: By, action: str, cards: Iterable[Card]) -> None:
    for card in cards:
        by.note(uow, action, card.id)


def _check(uow: UnitOfWork, by: By, card: Card, change: Edit) -> None:
    for name, value in change.fields().items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise BadInput(f"{name} has {len(value)} characters; at most {LONGEST_TEXT} are kept")
    for agency, title in change.topics:
        _check_topic(uow, agency, title)
    if change.complete and any(contact.outcome is None for contact in card.contacts):
        raise BadInput(
            f"card {card.registration_number}: its call is still in progress; complete it after the call"
        )


def _check_topic(uow: UnitOfWork, agency: str, title: str) -> None:
    if agency not in uow.agencies.codes():
        raise BadInput(f"there is no agency {agency!r}; bring it in with `ekc agencies import FILE`")
    if not title.strip() or not title.isprintable() or len(title) > LONGEST_TITLE:
        raise BadInput(f"a topic is one line of 1 to {LONGEST_TITLE} characters, written AGENCY:TITLE")


def _complete(uow: UnitOfWork, by: By, card: Card, wrapup_seconds: float) -> None:
    """Close the card and end the wrap-up, which is measured once: completing again changes no time of §13."""
    talk = next((c for c in reversed(card.contacts) if c.talking_s > 0), None)
    if talk is not None and talk.wrapup_s == 0 and (ended := _end_of_talk(uow, talk)) is not None:
        spent = max(0.0, (by.at - ended).total_seconds())
        uow.cards.change_contact(talk.call, wrapup_s=ceil(min(spent, wrapup_seconds)))
        uow.cards.change(card.id, closed_at=by.at)
    elif card.closed_at is None:
        uow.cards.change(card.id, closed_at=by.at)
    working_day.card_completed(uow, by, (contact.call for contact in card.contacts), card.operator)
    if card.outcome is None and card.contacts and (last := card.contacts[-1].outcome) is not None:
        promised = uow.callbacks.open_for_card(card.id) is not None
        outcome = deferred.outcome_of(uow, card.id, enquiry_outcome(last, callback=promised))
        uow.cards.close(card.id, outcome=outcome, at=by.at)


def _end_of_talk(uow: UnitOfWork, contact: Contact) -> datetime | None:
    """When nobody talked with the citizen any more: by the journals, else by the call's own end."""
    talked = [line.at for line in uow.journal.of_linked(contact.call) if line.event in _END_OF_TALK]
    if talked:
        return max(talked)
    ends = [event.at for _, event in uow.traces.of_call(contact.call) if event.kind == "end"]
    return max(ends, default=None)
