"""Nobody is lost: who is owed a callback, and what arrivals, cards and callbacks say of each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.callback import Source
from ivr.domain.enquiry import ContactOutcome, Outcome
from ivr.domain.reconciliation import Account, Arrival, Standing, Why, account, owed

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
CAME = Arrival(node="node1", call="node1-1.1", at=AT, number="+79123456789")
SERVED = Standing(
    call=CAME.call,
    card="C1",
    outcome=ContactOutcome.SERVED,
    card_outcome=Outcome.SERVED,
    settled=True,
)
LOST = replace(SERVED, outcome=ContactOutcome.LOST_BY_CRASH, card_outcome=Outcome.LOST_BY_CRASH)


def judged(arrival: Arrival, *standings: Standing, up: bool = False) -> Account:
    found = {(arrival.node, arrival.call): standings} if standings else {}
    live = {arrival.call} if up else set()
    return account([arrival], found, live=live, dialable=lambda number: number.startswith("+7"))


@pytest.mark.parametrize(
    ("outcome", "wanted", "source"),
    [
        (ContactOutcome.ABANDONED_QUEUE, True, Source.ABANDONED),
        (ContactOutcome.ABANDONED_QUEUE, False, Source.ABANDONED),
        (ContactOutcome.TOO_SHORT, True, Source.ABANDONED),
        (ContactOutcome.NO_ANSWER, True, Source.ABANDONED),
        (ContactOutcome.MACHINE, True, Source.ABANDONED),
        (ContactOutcome.LOST_BY_CRASH, False, Source.CRASH),
        (ContactOutcome.LOST_BY_CRASH, True, Source.CRASH),
        (ContactOutcome.ABANDONED_IVR, True, Source.ABANDONED),
        (ContactOutcome.ABANDONED_IVR, False, None),
        (ContactOutcome.SILENCE, True, None),
        (ContactOutcome.SELF_SERVICE, False, None),
        (ContactOutcome.CLOSED_HOURS, False, None),
        (ContactOutcome.REFUSED, False, None),
        (ContactOutcome.SERVED, True, None),
        (ContactOutcome.TRANSFERRED, True, None),
    ],
)
def test_who_wanted_an_operator_or_was_failed_by_us_is_owed_a_callback_and_nobody_else(
    outcome: ContactOutcome, wanted: bool, source: Source | None
) -> None:
    assert owed(outcome, wanted=wanted) is source


def test_a_settled_contact_is_closed_and_one_whose_channel_is_up_is_in_progress() -> None:
    assert judged(CAME, SERVED).closed == 1
    unsettled = replace(SERVED, settled=False, outcome=None, card_outcome=None)
    assert judged(CAME, unsettled, up=True).in_progress == 1
    assert judged(CAME, up=True).in_progress == 1


@pytest.mark.parametrize(
    ("standings", "why"),
    [
        ((), Why.NO_CARD),
        ((replace(SERVED, settled=False, outcome=None, card_outcome=None),), Why.NO_END),
        ((replace(SERVED, settled=False),), Why.NO_END),
        ((LOST,), Why.NO_CALLBACK),
        ((replace(LOST, card_outcome=Outcome.CALLBACK),), Why.NO_CALLBACK),
    ],
)
def test_an_arrival_without_card_end_or_callback_is_lost(standings: tuple[Standing, ...], why: Why) -> None:
    found = judged(CAME, *standings)
    assert [finding.why for finding in found.lost] == [why]
    assert not found.agrees


@pytest.mark.parametrize(
    "standing",
    [
        replace(LOST, callbacks=1),
        replace(LOST, answered=True),
        replace(LOST, card_outcome=Outcome.SERVED),
        replace(LOST, card_outcome=Outcome.DEFERRED),
    ],
)
def test_a_debt_that_is_kept_elsewhere_or_was_taken_over_by_somebody_is_none(standing: Standing) -> None:
    assert judged(CAME, standing).agrees


@pytest.mark.parametrize("number", [None, "+12125550123"])
def test_who_cannot_be_dialled_is_told_and_is_no_disagreement(number: str | None) -> None:
    found = judged(replace(CAME, number=number), LOST)
    assert found.agrees
    assert found.closed == 1
    assert [finding.why for finding in found.unreachable] == [Why.NO_NUMBER]


def test_two_callbacks_for_one_call_or_two_cards_are_doubled() -> None:
    assert [f.why for f in judged(CAME, replace(LOST, callbacks=2)).doubled] == [Why.TWO_CALLBACKS]
    assert [f.why for f in judged(CAME, SERVED, replace(SERVED, card="C2")).doubled] == [Why.TWO_CARDS]


def test_a_line_that_was_written_twice_is_one_arrival() -> None:
    found = account([CAME, CAME], {("node1", CAME.call): [SERVED]}, live=set(), dialable=lambda _n: True)
    assert (found.arrivals, found.closed) == (1, 1)


STANDINGS = st.builds(
    Standing,
    call=st.just(CAME.call),
    card=st.sampled_from(["C1", "C2"]),
    outcome=st.none() | st.sampled_from(list(ContactOutcome)),
    card_outcome=st.none() | st.sampled_from(list(Outcome)),
    settled=st.booleans(),
    wanted=st.booleans(),
    callbacks=st.integers(0, 3),
    answered=st.booleans(),
)


@given(
    st.lists(st.tuples(st.sampled_from([None, "+79123456789", "+1"]), st.lists(STANDINGS, max_size=2))),
    st.sets(st.integers(0, 5)),
)
def test_every_arrival_is_one_of_three_things(
    came: list[tuple[str | None, list[Standing]]], up: set[int]
) -> None:
    arrivals = [replace(CAME, call=f"c{n}", number=number) for n, (number, _) in enumerate(came)]
    found = account(
        arrivals,
        {("node1", f"c{n}"): standings for n, (_, standings) in enumerate(came)},
        live={f"c{n}" for n in up},
        dialable=lambda number: number.startswith("+7"),
    )
    assert found.closed + found.in_progress + len(found.lost) == found.arrivals == len(arrivals)
