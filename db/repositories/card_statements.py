"""Statements of cards and contacts, made once (db/prepared.py)."""

from __future__ import annotations

from functools import cache

from sqlalchemy import BindParameter, bindparam, or_, select

from db.prepared import Prepared
from db.tables import card_topics, cards, contacts, counters

READ = [column for column in cards.c if column.name not in ("number_hash", "snils", "snils_hash")]
"""What makes up a Card."""

CARD = Prepared(
    select(*READ).where(
        or_(cards.c.id == bindparam("wanted"), cards.c.registration_number == bindparam("wanted"))
    )
)
OF_CARDS: BindParameter[str] = bindparam("wanted", expanding=True)
PAGE = select(*READ).where(cards.c.id.in_(OF_CARDS)).order_by(cards.c.id.desc())
TOPICS = Prepared(
    select(card_topics).where(card_topics.c.card.in_(OF_CARDS)).order_by(card_topics.c.position),
    lists=("wanted",),
)
CONTACTS = Prepared(
    select(contacts).where(contacts.c.card.in_(OF_CARDS)).order_by(contacts.c.at, contacts.c.id),
    lists=("wanted",),
)
SNILS = Prepared(select(cards.c.id, cards.c.snils).where(cards.c.id == bindparam("wanted")))
OF_CALL = (
    select(contacts)
    .where(contacts.c.call == bindparam("wanted"))
    .order_by((contacts.c.node == bindparam("ours")).desc(), contacts.c.at.desc())
    .limit(1)
)
"""One, for uniqueids begin with the node's name (asterisk.conf); otherwise ours comes first."""
CONTACT = Prepared(OF_CALL)
CARD_OF = Prepared(
    select(contacts.c.card).where(
        contacts.c.node == bindparam("at_node"), contacts.c.call == bindparam("wanted")
    )
)
KNOWN = Prepared(
    select(contacts.c.call).where(contacts.c.call.in_(bindparam("wanted", expanding=True))), lists=("wanted",)
)
NEXT = Prepared(
    counters.update()
    .where(counters.c.name == bindparam("wanted"))
    .values(value=counters.c.value + 1)
    .returning(counters.c.value)
)


@cache
def changing_contact(fields: tuple[str, ...]) -> Prepared:
    which = OF_CALL.with_only_columns(contacts.c.id).scalar_subquery()
    return Prepared(contacts.update().where(contacts.c.id == which), columns=fields)
