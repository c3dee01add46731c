"""Statements that search cards (docs/storage.md tells which index each of them reads)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, select

from db.crypto import Vault
from db.repositories.card_hashes import NUMBER
from db.repositories.upserts import SNILS
from db.tables import card_topics, cards
from ivr.domain.ids import first_id
from ivr.ports import CardSearch


def ids_of(vault: Vault, wanted: CardSearch, *, before: str | None) -> Select[str]:
    """The ids of these cards, newest first; before: only ids that sort before this one."""
    which = list(_of_cards(vault, wanted))
    if wanted.topic is None:
        id_: ColumnElement[str] = cards.c.id
        found = select(id_)
    else:  # led by the topics: their index has the ids in order, too
        id_ = card_topics.c.card.label("id")
        found = select(id_).distinct().where(card_topics.c.title == wanted.topic)
        found = found.join(cards, cards.c.id == card_topics.c.card) if which else found
    return found.where(*which, *_between(id_, wanted, before)).order_by(id_.desc())


def _of_cards(vault: Vault, wanted: CardSearch) -> Iterator[ColumnElement[bool]]:
    if wanted.agency is not None:
        yield cards.c.agency == wanted.agency
    if wanted.operator is not None:
        yield cards.c.operator == wanted.operator
    if wanted.outcome is not None:
        yield cards.c.outcome == wanted.outcome.value
    if wanted.number is not None:
        yield cards.c.number_hash.in_(vault.lookups(NUMBER, wanted.number))
    if wanted.snils is not None:
        yield cards.c.snils_hash.in_(vault.lookups(SNILS, wanted.snils))


def _between(
    id_: ColumnElement[str], wanted: CardSearch, before: str | None
) -> Iterator[ColumnElement[bool]]:
    """Ids begin with the time of registration, so every index that ends with them knows the period.

    `registered_at` says it too, but a planner that is given both expects next to nothing and sorts it all.
    """
    if wanted.since is not None:
        yield id_ >= first_id(wanted.since)
    if wanted.until is not None:
        yield id_ < first_id(wanted.until)
    if before is not None:
        yield id_ < before
