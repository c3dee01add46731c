"""Searching cards: what every store must find, in which order, and what it must never find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from ivr.domain.enquiry import Card, Level, Outcome
from ivr.domain.errors import NotFound
from ivr.ports import CardSearch, Store, UnitOfWork
from tests.integration.storing import AT, a_card, do

MINE, OTHER = "11223344595", "08765430200"
MINUTE, MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)


@pytest.fixture
def made(store: Store) -> list[Card]:
    """Four cards, a minute apart, the oldest first."""
    made = [a_card(store, f"node1-{n}.1", number=f"+7912000000{n % 2}", at=AT + n * MINUTE) for n in range(4)]
    ids = [card.id for card in made]

    def tell(uow: UnitOfWork) -> None:
        uow.cards.identified(ids[0], snils=MINE)
        uow.cards.identified(ids[1], snils=OTHER)
        uow.cards.identified(ids[3], snils=MINE)
        for id_, agency, topic in zip(
            ids, ("soc", "soc", "szn", "szn"), ("Льготы", "Пенсия") * 2, strict=True
        ):
            uow.cards.add_topic(id_, agency=agency, topic=topic)
        uow.cards.add_topic(ids[1], agency="pfr", topic="Пенсия")
        uow.cards.change(ids[2], operator="201", outcome=Outcome.SERVED)
        uow.cards.change(ids[3], operator="201", outcome=Outcome.CALLBACK)

    do(store, tell)
    return do(store, lambda uow: [uow.cards.get(id_) for id_ in ids])


def search(store: Store, wanted: CardSearch, **more: object) -> Sequence[Card]:
    return do(store, lambda uow: uow.cards.search(wanted, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CardSearch(), [3, 2, 1, 0]),
        (CardSearch(number="+79120000001"), [3, 1]),
        (CardSearch(number="+79120000009"), []),
        (CardSearch(snils=MINE), [3, 0]),
        (CardSearch(snils=OTHER), [1]),
        (CardSearch(agency="szn"), [3, 2]),
        (CardSearch(agency="soc"), [0]),
        (CardSearch(topic="Пенсия"), [3, 1]),
        (CardSearch(topic="Пен"), []),
        (CardSearch(operator="201"), [3, 2]),
        (CardSearch(outcome=Outcome.CALLBACK), [3]),
        (CardSearch(since=AT + MINUTE), [3, 2, 1]),
        (CardSearch(until=AT + 2 * MINUTE), [1, 0]),
        (CardSearch(since=AT + MINUTE, until=AT + MINUTE + MILLISECOND), [1]),
        (CardSearch(until=AT + MILLISECOND), [0]),
        (CardSearch(snils=MINE, topic="Льготы"), [0]),
        (CardSearch(operator="201", topic="Пенсия", since=AT, number="+79120000001"), [3]),
    ],
)
def test_what_is_named_must_all_fit_and_the_newest_comes_first(
    store: Store, made: list[Card], wanted: CardSearch, found: list[int]
) -> None:
    assert search(store, wanted) == [made[n] for n in found]


@pytest.mark.parametrize("wanted", [CardSearch(), CardSearch(topic="Пенсия"), CardSearch(operator="201")])
def test_pages_follow_each_other_without_a_gap(store: Store, made: list[Card], wanted: CardSearch) -> None:
    whole, pages = search(store, wanted), list[Card]()
    before: str | None = None
    while page := search(store, wanted, limit=1, before=before):
        assert len(page) == 1
        pages += page
        before = page[-1].id
    assert pages == whole


def test_who_was_identified_is_known_and_has_the_level_personal(store: Store) -> None:
    card = a_card(store).id
    assert do(store, lambda uow: uow.cards.snils_of(card)) is None
    do(store, lambda uow: uow.cards.identified(card, snils=MINE))
    assert do(store, lambda uow: (uow.cards.snils_of(card), uow.cards.get(card).level)) == (
        MINE,
        Level.PERSONAL,
    )


@pytest.mark.parametrize("ask", ["identified", "snils_of"])
def test_nobody_is_identified_on_a_card_that_is_not_there(store: Store, ask: str) -> None:
    more = {"snils": MINE} if ask == "identified" else {}
    with pytest.raises(NotFound):
        do(store, lambda uow: getattr(uow.cards, ask)("nocard", **more))
