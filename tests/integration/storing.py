"""What the tests of the store have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from ivr.domain.callback import Callback, Source
from ivr.domain.enquiry import Card
from ivr.domain.ids import new_id
from ivr.ports import Store, UnitOfWork

T = TypeVar("T")
AT = datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)
NUMBER = "+79123456789"


def do(store: Store, work: Callable[[UnitOfWork], T]) -> T:
    """One committed transaction."""
    with store.transaction() as uow:
        result = work(uow)
        uow.commit()
    return result


def a_card(store: Store, call: str = "node1-1.1", *, number: str | None = NUMBER, at: datetime = AT) -> Card:
    return do(store, lambda uow: uow.cards.open(call=call, node="node1", number=number, at=at))


def a_callback(card: str, *, number: str = NUMBER, due: datetime = AT, **more: object) -> Callback:
    callback = Callback(
        id=new_id(AT),
        card=card,
        number=number,
        source=Source.CLOSED,
        queue="general",
        arrived_at=AT,
        due=due,
    )
    return replace(callback, **more)
