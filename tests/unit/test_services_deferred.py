"""Deferred enquiries from the mark to the answer (§14): who calls, when, what the card says, what is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from ivr.domain.callback import Callback, Source
from ivr.domain.callback import State as CallbackState
from ivr.domain.deferred import State
from ivr.domain.enquiry import Card, ContactOutcome, Outcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.ids import new_id
from ivr.domain.operators import Operator, OperatorState
from ivr.domain.periods import days
from ivr.domain.worktime import DayException
from ivr.services import attempts, cards, deferred, deferred_report, working_day
from ivr.services.audit import By
from ivr.services.calling_rules import CallingRules
from ivr.services.deferred_watch import MOST_ALARMS, DeferredWatch
from ivr.settings import Settings
from ivr.testing import MemoryStore, VirtualClock
from tests.unit.memory import START, Rows

SETTINGS = Settings()
BY = By(actor="cli:anna", at=START)
NUMBER, OTHER = "+79123456789", "+79123450000"
REGISTERED = START - timedelta(hours=5)
"""Tuesday, 10:00 by the site's clock."""
DEADLINE = START + timedelta(hours=3)
"""Tuesday, 18:00."""


def a_card(rows: Rows, call: str = "1.1", *, number: str | None = NUMBER, at: datetime = REGISTERED) -> Card:
    card = rows.cards.open(call=call, node="node1", number=number, at=at)
    rows.cards.change_contact(call, talking_s=40, outcome=ContactOutcome.SERVED)
    rows.cards.close(card.id, outcome=Outcome.SERVED, at=at)
    return rows.cards.get(card.id)


def with_operators() -> Rows:
    rows = Rows()
    for extension in ("201", "202"):
        operator = Operator(extension=extension, name="Анна", agency="szn", line=1, since=START)
        rows.operators.add(operator, "x")
    return rows


def marked(rows: Rows, **card: object) -> Card:
    made = a_card(rows, **card)  # type: ignore[arg-type]
    deferred.mark(rows, BY, made, SETTINGS)
    return rows.cards.get(made.id)


# --- the mark ---


def test_a_marked_enquiry_is_owed_by_its_deadline_and_its_card_says_so() -> None:
    rows = Rows()
    card = marked(rows)
    [owed] = deferred.listed(rows, SETTINGS)
    assert (owed.card, owed.state, owed.deadline) == (card.id, State.WAITING, DEADLINE)
    assert card.outcome is Outcome.DEFERRED
    assert [(row.action, row.subject) for row in rows.audit.rows] == [("deferred.mark", card.id)]


def test_marked_twice_is_marked_once() -> None:
    rows = Rows()
    card = marked(rows)
    before = rows.deferred.of_card(card.id)
    deferred.mark(rows, By(actor="201", at=START + timedelta(hours=1)), card, SETTINGS)
    assert rows.deferred.of_card(card.id) == before
    assert len(rows.audit.rows) == 1


def test_who_cannot_be_called_is_not_deferred() -> None:
    rows = Rows()
    with pytest.raises(BadInput, match="no telephone number"):
        marked(rows, number=None)
    assert rows.deferred.list() == []


def test_a_card_marked_in_the_talk_comes_to_deferred_when_the_call_is_over() -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number=NUMBER, at=REGISTERED)
    cards.edit(rows, BY, card.id, cards.Edit(defer=True), SETTINGS)
    assert rows.cards.get(card.id).outcome is None
    rows.cards.change_contact("1.1", talking_s=40, outcome=ContactOutcome.SERVED)
    cards.edit(rows, BY, card.id, cards.Edit(complete=True), SETTINGS)
    assert rows.cards.get(card.id).outcome is Outcome.DEFERRED


def test_the_deadline_follows_the_calendar_as_long_as_the_answer_is_owed() -> None:
    rows = Rows()
    card = marked(rows, at=START)
    [before] = deferred.listed(rows, SETTINGS)
    closed = DayException(day=date(2026, 11, 25), opens=None, closes=None)
    rows.calendar.set(closed)
    [after] = deferred.listed(rows, SETTINGS)
    assert after.deadline - before.deadline == timedelta(days=1)
    deferred.finish(rows, BY, card, SETTINGS, answered=True)
    rows.calendar.clear(closed.day)
    assert deferred.listed(rows, SETTINGS, open_only=False)[0].deadline == after.deadline


# --- the operator ---


def test_the_appointed_operator_calls_after_the_time_to_prepare() -> None:
    rows = with_operators()
    card = marked(rows, at=START)
    assigned = deferred.assign(rows, BY, card, "201", SETTINGS)
    [callback] = rows.callbacks.list()
    assert (assigned.state, assigned.operator, assigned.callback) == (State.ASSIGNED, "201", callback.id)
    assert (callback.source, callback.operator, callback.card) == (Source.DEFERRED, "201", card.id)
    assert callback.due == START + timedelta(minutes=30)
    assert rows.audit.rows[-1].action == "deferred.assign"


def test_a_time_for_the_call_may_be_given_before_the_deadline_only() -> None:
    rows = with_operators()
    card = marked(rows)
    at = START + timedelta(hours=2)
    deferred.assign(rows, BY, card, "201", SETTINGS, at=at)
    assert rows.callbacks.list()[0].due == at
    with pytest.raises(BadInput, match="due by 2026-11-24T18:00"):
        deferred.assign(rows, BY, card, "201", SETTINGS, at=DEADLINE + timedelta(seconds=1))
    with pytest.raises(BadInput, match="in the past"):
        deferred.assign(rows, BY, card, "201", SETTINGS, at=START)


def test_another_operator_takes_over_the_same_call() -> None:
    rows = with_operators()
    card = marked(rows)
    first = deferred.assign(rows, BY, card, "201", SETTINGS)
    second = deferred.assign(rows, BY, card, "202", SETTINGS)
    assert second.callback == first.callback
    assert [callback.operator for callback in rows.callbacks.list()] == ["202"]


def test_a_time_that_the_citizen_has_agreed_to_stays_when_an_operator_is_appointed() -> None:
    rows = with_operators()
    card = marked(rows)
    at = START + timedelta(hours=1)
    cards.edit(rows, BY, card.id, cards.Edit(callback_at=at), SETTINGS)
    deferred.assign(rows, BY, card, "202", SETTINGS)
    [callback] = rows.callbacks.list()
    assert (callback.source, callback.due, callback.operator) == (Source.AGREED, at, "202")


def test_who_is_disabled_or_unknown_or_not_asked_for_is_not_appointed() -> None:
    rows = with_operators()
    card = marked(rows)
    rows.operators.set_state("201", OperatorState.DISABLED, reason="", at=START)
    with pytest.raises(BadInput, match="201 is disabled"):
        deferred.assign(rows, BY, card, "201", SETTINGS)
    with pytest.raises(NotFound):
        deferred.assign(rows, BY, card, "299", SETTINGS)
    with pytest.raises(NotFound, match="--defer"):
        deferred.assign(rows, BY, a_card(rows, "1.2"), "202", SETTINGS)


# --- the answer ---


def dialled(rows: Rows, callback: Callback) -> str:
    leg = replace(
        callback.move(CallbackState.WAITING).move(CallbackState.QUEUED), leg=1, leg_at=START, node="node1"
    )
    return attempts.dial(rows, leg, START, node="node1").call


def test_the_enquiry_is_answered_when_the_citizen_was_served_by_the_call() -> None:
    rows = with_operators()
    card = marked(rows)
    deferred.assign(rows, BY, card, "201", SETTINGS)
    call = dialled(rows, rows.callbacks.list()[0])
    attempts.ended(rows, call, ContactOutcome.SERVED, START, CallingRules.of(SETTINGS))
    over = rows.deferred.of_card(card.id)
    assert over is not None
    assert (over.state, over.finished_at, over.late(START)) == (State.ANSWERED, START, False)
    assert rows.cards.get(card.id).outcome is Outcome.SERVED


@pytest.mark.parametrize("outcome", [ContactOutcome.BUSY, ContactOutcome.MACHINE, ContactOutcome.TOO_SHORT])
def test_an_attempt_that_served_nobody_leaves_the_answer_owed(outcome: ContactOutcome) -> None:
    rows = with_operators()
    card = marked(rows)
    deferred.assign(rows, BY, card, "201", SETTINGS)
    call = dialled(rows, rows.callbacks.list()[0])
    attempts.ended(rows, call, outcome, START, CallingRules.of(SETTINGS))
    assert [one.card for one in deferred.listed(rows, SETTINGS)] == [card.id]
    assert rows.cards.get(card.id).outcome is Outcome.DEFERRED


@pytest.mark.parametrize(
    ("answered", "state", "outcome"),
    [(True, State.ANSWERED, Outcome.SERVED), (False, State.WITHDRAWN, Outcome.SERVED)],
)
def test_what_is_over_by_hand_is_not_called_about(answered: bool, state: State, outcome: Outcome) -> None:
    rows = with_operators()
    card = marked(rows)
    deferred.assign(rows, BY, card, "201", SETTINGS)
    over = deferred.finish(rows, BY, card, SETTINGS, answered=answered)
    assert (over.state, rows.cards.get(card.id).outcome) == (state, outcome)
    assert [callback.state for callback in rows.callbacks.list()] == [CallbackState.CANCELLED]
    with pytest.raises(BadInput, match=f"is {state.value}"):
        deferred.finish(rows, BY, card, SETTINGS, answered=answered)


def test_who_was_not_reached_after_all_leaves_a_deferred_card_deferred() -> None:
    rows = with_operators()
    rows.operators.note_talk("201", "1.1")
    card = marked(rows)
    working_day.not_reached(rows, By(actor="201", at=START), "201")
    assert rows.cards.get(card.id).outcome is Outcome.DEFERRED


# --- the watch ---


class Board:
    def __init__(self) -> None:
        self.standing: dict[str, tuple[str, str, datetime]] = {}

    def set(self, key: str, what: str, remedy: str, now: datetime) -> None:
        self.standing[key] = (what, remedy, now)

    def clear(self, key: str) -> None:
        del self.standing[key]


class Watched:
    def __init__(self, rows: Rows) -> None:
        self.store = MemoryStore(rows)
        self.clock = VirtualClock()
        self.board = Board()
        self.counted: Mapping[str, int] = {}
        self.watch = DeferredWatch(self.store, self.clock, self.board, SETTINGS, on_counted=self.count)

    def count(self, counted: Mapping[str, int]) -> None:
        self.counted = counted

    async def at(self, hours: float) -> list[str]:
        """What stands when so many hours have passed since START."""
        self.clock.forward(hours * 3600 - self.clock.monotonic())
        await self.watch.look()
        return [what for what, _, _ in self.board.standing.values()]


async def test_three_quarters_of_the_way_an_alarm_reminds_and_a_breach_is_another_one() -> None:
    rows = with_operators()
    marked(rows)
    watched = Watched(rows)
    assert await watched.at(0.9) == []
    assert watched.counted == {"calm": 1, "soon": 0, "late": 0}
    assert await watched.at(1) == ["deferred enquiry 2026-000001 is to be answered by 24.11. 18:00"]
    [(_, remedy, since)] = watched.board.standing.values()
    assert (remedy, since) == (
        "appoint an operator: `ekc deferred assign 2026-000001 EXTENSION`",
        START + timedelta(hours=1),
    )
    assert await watched.at(3.01) == ["deferred enquiry 2026-000001 was to be answered by 24.11. 18:00 (§14)"]
    assert watched.counted == {"calm": 0, "soon": 0, "late": 1}


async def test_the_alarm_ends_with_the_answer_and_names_the_operator_until_then() -> None:
    rows = with_operators()
    card = marked(rows)
    deferred.assign(rows, BY, card, "201", SETTINGS)
    watched = Watched(rows)
    await watched.at(4)
    assert [remedy for _, remedy, _ in watched.board.standing.values()] == [
        "ask operator 201; `ekc deferred list` shows all of them"
    ]
    await watched.store.run(lambda uow: deferred.finish(uow, BY, card, SETTINGS, answered=True))
    assert await watched.at(5) == []


async def test_many_urgent_enquiries_do_not_flood_the_alarms() -> None:
    rows = with_operators()
    for n in range(MOST_ALARMS + 5):
        marked(rows, call=f"1.{n}", number=f"+7912000{n:04}")
    watched = Watched(rows)
    assert len(await watched.at(4)) == MOST_ALARMS + 1
    assert watched.board.standing["deferred.more"][0].startswith("5 more")


async def test_a_call_that_could_not_be_promised_is_promised_once_the_citizens_other_one_is_over() -> None:
    rows = with_operators()
    other = a_card(rows, "1.9")
    asked = rows.callbacks.request(
        Callback(
            id=new_id(START),
            card=other.id,
            number=NUMBER,
            source=Source.ABANDONED,
            queue="general",
            arrived_at=START,
            due=START,
        )
    )
    card = marked(rows)
    assert deferred.assign(rows, BY, card, "201", SETTINGS).callback is None
    watched = Watched(rows)
    await watched.at(0.1)
    assert len(watched.store.rows.callbacks.list()) == 1
    await watched.store.run(lambda uow: uow.callbacks.save(asked.move(CallbackState.CANCELLED)))
    await watched.at(0.2)
    [promised] = watched.store.rows.callbacks.list(open_only=True)
    assert (promised.card, promised.operator, promised.source) == (card.id, "201", Source.DEFERRED)
    await watched.at(0.3)
    assert len(watched.store.rows.callbacks.list()) == 2


# --- the report ---


def test_the_report_says_what_was_deferred_how_long_it_took_and_what_was_late() -> None:
    rows = with_operators()
    zone = SETTINGS.zone
    in_time, late, owed, mistaken = (marked(rows, call=f"1.{n}", number=f"+7912000000{n}") for n in range(4))
    for card, topic in ((in_time, "Пособия"), (late, "Пособия"), (owed, "Работа"), (mistaken, "Работа")):
        rows.cards.add_topic(card.id, agency="szn", topic=topic)
    answer = {in_time: START, late: START + timedelta(hours=19)}  # 15:00, and 10:00 the next day
    for card, at in answer.items():
        deferred.finish(rows, By(actor="cli:anna", at=at), card, SETTINGS, answered=True)
    deferred.finish(rows, BY, mistaken, SETTINGS, answered=False)
    day = date(2026, 11, 24)
    made = deferred_report.report(rows, days(day, day, zone), SETTINGS, START + timedelta(days=2))
    columns = deferred_report.COLUMNS[1:]
    assert [tuple(row[name] for name in columns) for row in made["rows"]] == [  # type: ignore[attr-defined]
        ("Пособия", 2, 2, 0, 0, 1, 7 * 3600, 9 * 3600),
        ("Работа", 2, 0, 1, 1, 1, None, None),
    ]
    assert made["total"]["deferred"] == 4  # type: ignore[index]
    [first, second] = made["late"]  # type: ignore[misc]
    assert (first["card"], first["answered_at"], first["late_s"]) == (owed.id, None, 15 * 3600)
    assert (second["card"], second["late_s"]) == (late.id, 3600)


def test_the_report_is_of_the_days_that_enquiries_were_registered_on() -> None:
    rows = with_operators()
    marked(rows)
    day = date(2026, 11, 23)
    made = deferred_report.report(rows, days(day, day, SETTINGS.zone), SETTINGS, START)
    assert (made["rows"], made["late"]) == ([], [])
