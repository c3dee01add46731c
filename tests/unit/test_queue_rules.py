"""Rules of queues and the estimate of a wait: what may be set, what follows, what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.enquiry import Card, Outcome
from ivr.domain.errors import BadInput
from ivr.domain.estimate import AT_ONCE, LAST_PLACE, MORE, SPOKEN, Outlook, Told, handling, spoken
from ivr.domain.queue_rules import Instead, QueueRules, default_rules
from ivr.domain.waiting import Announcement, Turn, has_turn_back, place_among
from ivr.ports import LeftQueue
from ivr.services.waits import instead
from ivr.speech import catalogue
from ivr.speech.queueing import telling

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


# --- rules ---


@pytest.mark.parametrize("left", [LeftQueue.NO_OPERATOR, LeftQueue.PAUSED])
def test_an_empty_second_line_is_answered_by_the_first_and_an_empty_first_line_by_a_callback(
    left: LeftQueue,
) -> None:
    assert instead(default_rules("soc-2"), left) == "soc-1"
    assert instead(default_rules("soc-1"), left) is None
    assert instead(default_rules("general"), left) is None


@pytest.mark.parametrize("left", [LeftQueue.FULL, LeftQueue.CLOSING, LeftQueue.CALLBACK])
def test_who_finds_no_place_or_wants_a_callback_goes_to_no_other_queue(left: LeftQueue) -> None:
    everything = dict.fromkeys(("no_operator", "all_paused", "too_long"), Instead.GENERAL)
    assert instead(QueueRules(queue="soc-2", **everything), left) is None


def test_any_first_line_operator_may_take_over_from_an_agency_but_not_from_the_general_queue() -> None:
    rules = QueueRules(queue="soc-1", too_long=Instead.GENERAL)
    assert instead(rules, LeftQueue.TIMEOUT) == "general"
    with pytest.raises(BadInput, match="to itself"):
        QueueRules(queue="general", too_long=Instead.GENERAL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_operator": Instead.FIRST_LINE},
        {"longest_wait_seconds": 0},
        {"longest_wait_seconds": 100_000},
        {"paused_seconds": 0},
        {"widen_seconds": 61},
        {"topics": {"Субсидии": -1}},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        QueueRules(queue="soc-1", **wrong)


# --- estimates ---


def outlook(*, place: int, operators: int = 2, free: int = 0, handling: float = 240.0) -> Outlook:
    return Outlook(place=place, operators=operators, free=free, handling=handling)


def test_a_caller_waits_for_as_many_talks_to_end_as_the_place_says() -> None:
    assert [outlook(place=place).seconds for place in (1, 2, 3)] == [120, 240, 360]
    assert outlook(place=3, operators=1).seconds == 720


def test_whom_an_operator_is_rung_for_at_once_is_told_nothing() -> None:
    told = outlook(place=2, free=2).told
    assert (told.minutes, told.silent, told.name) == (AT_ONCE, True, "p00")


def test_where_nobody_works_no_time_is_promised() -> None:
    told = outlook(place=2, operators=0).told
    assert (told.minutes, told.silent, told.name) == (None, False, "p02")


def test_a_free_operator_is_not_waited_for_twice() -> None:
    assert outlook(place=3, free=1).seconds == 240


@given(st.floats(min_value=0.1, max_value=100_000))
def test_never_less_is_told_than_was_estimated(seconds: float) -> None:
    minutes = spoken(seconds)
    assert minutes == MORE or (minutes in SPOKEN and minutes * 60 >= seconds)
    assert minutes == MORE or minutes <= max(1, seconds / 60) * 1.5 + 1


def test_each_telling_has_a_name_of_its_own() -> None:
    names = [Told(place=p, minutes=m).name for p in (1, 2, 12, 120) for m in (None, 1, 4, 60, MORE)]
    assert len(set(names)) == len(names)
    assert Told(place=2, minutes=4).name == "p02_w04"


@pytest.mark.parametrize(
    ("place", "told"), [(1000, 1000), (LAST_PLACE, LAST_PLACE), (LAST_PLACE + 1, LAST_PLACE)]
)
def test_whoever_stands_at_the_end_of_a_long_queue_is_told_a_place_that_can_be_said(
    place: int, told: int
) -> None:
    said = outlook(place=place, free=0).told
    assert said.place == told
    assert catalogue.text(telling(said)).startswith("Ваше место в очереди: ")


def test_a_few_short_talks_do_not_outweigh_the_usual_handling_time() -> None:
    assert handling([], 240) == 240
    assert handling([40], 240) == pytest.approx(206.7, abs=0.1)
    assert handling([40] * 50, 240) < 60


# --- turns ---


def card(**fields: Any) -> Card:
    made = Card(id="c", registration_number="2026-000001", registered_at=AT, closed_at=AT)
    return replace(made, outcome=Outcome.ABANDONED, **fields)


@pytest.mark.parametrize(
    ("after", "back"), [(0, True), (600, True), (600.001, False)], ids=["at once", "the limit", "later"]
)
def test_who_was_cut_off_has_the_turn_back_for_ten_minutes(after: float, back: bool) -> None:
    called = AT + timedelta(seconds=after)
    assert has_turn_back(card(), called_at=called, within=timedelta(minutes=10)) is back


@pytest.mark.parametrize("outcome", [None, Outcome.SERVED, Outcome.CALLBACK, Outcome.SELF_SERVICE])
def test_who_was_served_or_is_called_back_has_no_turn_back(outcome: Outcome | None) -> None:
    ended = replace(card(), outcome=outcome)
    assert not has_turn_back(ended, called_at=AT, within=timedelta(minutes=10))


def test_the_place_is_that_of_the_first_arrival() -> None:
    others = [AT + timedelta(seconds=seconds) for seconds in (-20, 5, 60)]
    assert place_among(AT, others) == 2
    assert place_among(AT, []) == 1


def test_a_time_without_a_zone_is_no_arrival() -> None:
    with pytest.raises(TypeError):
        Turn(call="a", card="b", queue="general", first_arrived_at=datetime(2026, 11, 24))


def test_an_announcement_is_in_force_until_its_time() -> None:
    until = Announcement(id="a", at=AT, until=AT + timedelta(hours=1))
    assert until.in_force(AT) and not until.in_force(AT + timedelta(hours=1))
    assert Announcement(id="a", at=AT).in_force(AT + timedelta(days=9))
