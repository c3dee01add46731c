"""What every store must do, continued: agencies and their data, operators, days, traces, guesses, lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from ivr.domain.enquiry import Application, ContactOutcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.menu import Topic
from ivr.domain.operators import Operator, OperatorState, SipAccount
from ivr.ports import (
    AuditRow,
    DayException,
    GuessCounter,
    JournalLine,
    JournalPosition,
    Store,
    TraceEvent,
)
from tests.integration.storing import AT, a_card, do

DAY = date(2026, 11, 2)
APPLICATION = Application(
    snils="11223344595",
    number="56-000123/Б",
    accepted_on=DAY,
    agency="soc",
    service="Ежемесячное пособие",
    status="завершено",
    decision="отказано",
    refusal_reason="доход выше порога",
    missing_documents=("справка о доходах", "копия | паспорта"),
)
WORK = Topic(agency="szn", agency_name="Центр занятости", key="1", title="Поиск работы", line=1)
MONEY = Topic(agency="szn", agency_name="Центр занятости", key="21", title="Пособие", line=2)
OPERATOR = Operator(extension="201", name="Анна Сергеева", agency="szn", line=1, since=AT)
HA1 = "0" * 32


# --- applications ----------------------------------------------------------------------------------


def test_an_application_is_found_by_the_digits_of_its_number_and_its_day(store: Store) -> None:
    assert do(store, lambda uow: uow.applications.upsert([APPLICATION])) == 1
    assert do(store, lambda uow: uow.applications.by_receipt("56000123", DAY)) == [APPLICATION]
    assert do(store, lambda uow: uow.applications.by_receipt("56000123", date(2026, 11, 3))) == []
    assert do(store, lambda uow: uow.applications.by_receipt("5600012", DAY)) == []


def test_numbers_that_differ_in_letters_only_are_both_found(store: Store) -> None:
    other = replace(APPLICATION, number="560-00123", snils="08765430200")
    do(store, lambda uow: uow.applications.upsert([APPLICATION, other]))
    found = do(store, lambda uow: uow.applications.by_receipt("56000123", DAY))
    assert {application.snils for application in found} == {"11223344595", "08765430200"}


def test_the_same_applications_again_change_nothing_and_a_new_status_changes_one(store: Store) -> None:
    many = [replace(APPLICATION, number=f"56-{n}") for n in range(1200)]
    assert do(store, lambda uow: uow.applications.upsert(many)) == 1200
    assert do(store, lambda uow: uow.applications.upsert(many)) == 0
    many[700] = replace(many[700], status="выплачено", refusal_reason="", missing_documents=())
    assert do(store, lambda uow: uow.applications.upsert(many)) == 1
    assert do(store, lambda uow: uow.applications.by_receipt("56700", DAY)) == [many[700]]


def test_a_corrected_day_replaces_the_old_one(store: Store) -> None:
    do(store, lambda uow: uow.applications.upsert([APPLICATION]))
    moved = replace(APPLICATION, accepted_on=date(2026, 11, 3), number="56 000 123")
    assert do(store, lambda uow: uow.applications.upsert([moved])) == 1
    assert do(store, lambda uow: uow.applications.by_receipt("56000123", DAY)) == []
    assert do(store, lambda uow: uow.applications.by_receipt("56000123", date(2026, 11, 3))) == [moved]


def test_of_one_application_twice_in_a_file_the_last_counts(store: Store) -> None:
    last = replace(APPLICATION, status="принято")
    assert do(store, lambda uow: uow.applications.upsert([APPLICATION, last])) == 1
    assert do(store, lambda uow: uow.applications.by_receipt("56000123", DAY)) == [last]


# --- agencies --------------------------------------------------------------------------------------


def test_agencies_come_with_their_topics_and_the_same_again_changes_nothing(store: Store) -> None:
    assert do(store, lambda uow: uow.agencies.upsert([MONEY, WORK])) == 2
    assert do(store, lambda uow: uow.agencies.topics()) == [WORK, MONEY]
    assert do(store, lambda uow: uow.agencies.codes()) == ["szn"]
    assert do(store, lambda uow: uow.agencies.upsert([WORK, MONEY])) == 0


def test_an_agency_that_was_renamed_is_renamed_on_all_its_topics(store: Store) -> None:
    do(store, lambda uow: uow.agencies.upsert([WORK, MONEY]))
    renamed = [replace(topic, agency_name="Кадровый центр") for topic in (WORK, MONEY)]
    assert do(store, lambda uow: uow.agencies.upsert(renamed)) == 2
    assert do(store, lambda uow: uow.agencies.topics()) == renamed


def test_topics_may_swap_their_keys(store: Store) -> None:
    do(store, lambda uow: uow.agencies.upsert([WORK, MONEY]))
    swapped = [replace(MONEY, key="1"), replace(WORK, key="21")]
    assert do(store, lambda uow: uow.agencies.upsert(swapped)) == 2
    assert do(store, lambda uow: uow.agencies.topics()) == swapped


def test_a_topic_that_moves_to_another_key_leaves_the_old_one(store: Store) -> None:
    do(store, lambda uow: uow.agencies.upsert([WORK, MONEY]))
    moved = replace(MONEY, key="22")
    assert do(store, lambda uow: uow.agencies.upsert([moved])) == 1
    assert do(store, lambda uow: uow.agencies.topics()) == [WORK, moved]


# --- operators -------------------------------------------------------------------------------------


def test_an_operator_is_kept_and_the_extension_is_taken_then(store: Store) -> None:
    do(store, lambda uow: uow.operators.add(OPERATOR, HA1))
    assert do(store, lambda uow: uow.operators.get("201")) == OPERATOR
    assert do(store, lambda uow: uow.operators.list()) == [OPERATOR]
    with pytest.raises(BadInput, match="201 is taken"):
        do(store, lambda uow: uow.operators.add(OPERATOR, HA1))


def test_state_and_secret_of_an_operator_change(store: Store) -> None:
    do(store, lambda uow: uow.operators.add(OPERATOR, HA1))
    later = AT + timedelta(minutes=1)
    do(store, lambda uow: uow.operators.set_state("201", OperatorState.PAUSED, reason="обед", at=later))
    do(store, lambda uow: uow.operators.set_ha1("201", "f" * 32))
    operator = do(store, lambda uow: uow.operators.get("201"))
    assert (operator.state, operator.reason, operator.since) == (OperatorState.PAUSED, "обед", later)
    accounts = do(store, lambda uow: uow.operators.sip_accounts())
    assert accounts == [SipAccount(extension="201", name="Анна Сергеева", ha1="f" * 32)]


def test_a_disabled_operator_has_no_sip_account(store: Store) -> None:
    do(store, lambda uow: uow.operators.add(OPERATOR, HA1))
    do(store, lambda uow: uow.operators.set_state("201", OperatorState.DISABLED, reason="", at=AT))
    assert do(store, lambda uow: uow.operators.sip_accounts()) == []


def test_an_unknown_operator_is_told(store: Store) -> None:
    for work in (
        lambda uow: uow.operators.get("999"),
        lambda uow: uow.operators.set_ha1("999", HA1),
        lambda uow: uow.operators.set_state("999", OperatorState.READY, reason="", at=AT),
    ):
        with pytest.raises(NotFound, match="999"):
            do(store, work)


def test_calls_today_are_the_served_contacts_since_the_days_beginning(store: Store) -> None:
    for extension in ("201", "202"):
        do(store, lambda uow, e=extension: uow.operators.add(replace(OPERATOR, extension=e), HA1))
    for n, (hours, outcome) in enumerate(
        [(-1, ContactOutcome.SERVED), (0, ContactOutcome.SERVED), (1, ContactOutcome.SERVED), (2, None)]
    ):
        card = a_card(store, f"c{n}", at=AT + timedelta(hours=hours))
        do(store, lambda uow, i=card.id: uow.cards.change(i, operator="201"))
        do(store, lambda uow, c=f"c{n}", o=outcome: uow.cards.change_contact(c, outcome=o))
    today = do(store, lambda uow: uow.operators.list(today=AT))
    assert {o.extension: o.calls_today for o in today} == {"201": 2, "202": 0}


# --- days ------------------------------------------------------------------------------------------


def test_a_day_of_our_own_is_set_changed_listed_and_cleared(store: Store) -> None:
    short = DayException(day=date(2026, 12, 30), opens=time(9), closes=time(17))
    closed = DayException(day=DAY, opens=None, closes=None)
    for day in (short, closed, replace(short, opens=time(0), closes=None)):
        do(store, lambda uow, d=day: uow.calendar.set(d))
    assert do(store, lambda uow: uow.calendar.list()) == [closed, replace(short, opens=time(0), closes=None)]
    assert do(store, lambda uow: uow.calendar.clear(DAY)) is True
    assert do(store, lambda uow: uow.calendar.clear(DAY)) is False


# --- traces and audit ------------------------------------------------------------------------------


def test_a_trace_is_read_in_the_order_of_time_and_on_from_a_number(store: Store) -> None:
    def event(seconds: int, kind: str, call: str = "c") -> TraceEvent:
        return TraceEvent(call=call, at=AT + timedelta(seconds=seconds), kind=kind, id="menu", outcome="")

    do(store, lambda uow: uow.traces.add([event(0, "prompt"), event(2, "key"), event(0, "prompt", "other")]))
    do(store, lambda uow: uow.traces.add(iter([event(1, "ask")])))
    do(store, lambda uow: uow.traces.add([]))
    rows = do(store, lambda uow: uow.traces.of_call("c"))
    assert [e.kind for _, e in rows] == ["prompt", "ask", "key"]
    assert rows[0][1] == event(0, "prompt")
    newest = max(n for n, _ in rows)
    assert do(store, lambda uow: uow.traces.of_call("c", after=newest)) == []
    assert [e.kind for _, e in do(store, lambda uow: uow.traces.of_call("c", after=newest - 1))] == ["ask"]


def test_the_audit_is_listed_newest_first_since_a_time_and_up_to_a_limit(store: Store) -> None:
    rows = [
        AuditRow(
            at=AT + timedelta(hours=n // 2),
            actor="ivr",
            action=f"a{n}",
            subject="s",
            call="c" if n else None,
            result="ok",
        )
        for n in range(4)
    ]
    for row in rows:
        do(store, lambda uow, r=row: uow.audit.add(r))
    assert do(store, lambda uow: uow.audit.list()) == rows[::-1]
    assert do(store, lambda uow: uow.audit.list(since=AT + timedelta(hours=1))) == [rows[3], rows[2]]
    assert do(store, lambda uow: uow.audit.list(limit=1)) == [rows[3]]


# --- guesses ---------------------------------------------------------------------------------------


def test_a_counter_of_guesses_is_kept_by_scope_and_key(store: Store) -> None:
    first = GuessCounter(failures=1, since=AT, locked_until=None, locks=0)
    second = GuessCounter(failures=10, since=AT, locked_until=AT + timedelta(hours=1), locks=2)
    for counter in (first, second):
        do(store, lambda uow, c=counter: uow.guesses.put("pair", "+79123456789", c))
    assert do(store, lambda uow: uow.guesses.get("pair", "+79123456789")) == second
    assert do(store, lambda uow: uow.guesses.get("pair", "+79123456780")) is None
    assert do(store, lambda uow: uow.guesses.get("code", "+79123456789")) is None
    do(store, lambda uow: uow.guesses.clear("pair", "+79123456789"))
    assert do(store, lambda uow: uow.guesses.get("pair", "+79123456789")) is None


def test_locks_in_force_are_listed_by_scope_and_end_without_their_keys(store: Store) -> None:
    def counter(minutes: int | None, locks: int = 1) -> GuessCounter:
        until = None if minutes is None else AT + timedelta(minutes=minutes)
        return GuessCounter(failures=0, since=AT, locked_until=until, locks=locks)

    rows = [("b", "1", 5, 1), ("a", "1", 30, 3), ("a", "2", 15, 1), ("a", "3", 0, 1), ("a", "4", None, 0)]
    for scope, key, *values in rows:
        do(store, lambda uow, s=scope, k=key, v=values: uow.guesses.put(s, k, counter(*v)))
    found = do(store, lambda uow: uow.guesses.locked(AT))
    assert [(lock.scope, lock.locked_until - AT, lock.locks) for lock in found] == [
        ("a", timedelta(minutes=15), 1),
        ("a", timedelta(minutes=30), 3),
        ("b", timedelta(minutes=5), 1),
    ]


# --- journals --------------------------------------------------------------------------------------


def a_line(offset: int, *, seconds: int = 0, **more: object) -> JournalLine:
    line = JournalLine(
        node="node1",
        journal="cel",
        generation="1",
        offset=offset,
        call="c",
        linked="c",
        at=AT + timedelta(seconds=seconds),
        event="CHAN_START",
        data={"peer": "PJSIP/201", "имя": "да"},
    )
    return replace(line, **more)


def test_lines_of_a_call_are_read_in_the_order_of_time_then_of_reading(store: Store) -> None:
    late, early, leg = a_line(0, seconds=5), a_line(80), a_line(160, call="leg", event="ANSWER")
    other = a_line(240, call="x", linked="x")
    do(store, lambda uow: uow.journal.add([late, early, leg, other]))
    assert do(store, lambda uow: uow.journal.of_linked("c")) == [early, leg, late]


def test_a_line_is_its_place_so_that_reading_again_adds_nothing(store: Store) -> None:
    line = a_line(0)
    do(store, lambda uow: uow.journal.add([line, a_line(0, event="OTHER")]))
    do(store, lambda uow: uow.journal.add([line]))
    assert do(store, lambda uow: uow.journal.of_linked("c")) == [line]
    elsewhere = [a_line(0, generation="2"), a_line(0, node="node2"), a_line(0, journal="queue_log")]
    do(store, lambda uow: uow.journal.add(elsewhere))
    assert do(store, lambda uow: uow.journal.of_linked("c")) == [line, *elsewhere]


def test_how_far_a_journal_was_read_is_kept_with_the_lines_or_not_at_all(store: Store) -> None:
    assert do(store, lambda uow: uow.journal.position("node1", "cel")) is None
    first, second = JournalPosition(generation="1", offset=80), JournalPosition(generation="2", offset=0)
    for before, place in ((None, first), (first, second)):
        moved = do(store, lambda uow, b=before, p=place: uow.journal.advance("node1", "cel", p, read_from=b))
        assert moved is True
        assert do(store, lambda uow: uow.journal.position("node1", "cel")) == place
    with store.transaction() as uow:
        uow.journal.add([a_line(0)])
        uow.journal.advance("node1", "cel", JournalPosition(generation="2", offset=80), read_from=second)
    assert do(store, lambda uow: uow.journal.of_linked("c")) == []
    assert do(store, lambda uow: uow.journal.position("node1", "cel")) == second
    assert do(store, lambda uow: uow.journal.position("node2", "cel")) is None


def test_who_read_from_where_a_journal_no_longer_stands_does_not_move_it(store: Store) -> None:
    first, second = JournalPosition(generation="1", offset=80), JournalPosition(generation="1", offset=160)
    do(store, lambda uow: uow.journal.advance("node1", "cel", first, read_from=None))
    for wrong in (None, second, JournalPosition(generation="0", offset=80)):
        moved = do(store, lambda uow, w=wrong: uow.journal.advance("node1", "cel", second, read_from=w))
        assert moved is False
    assert do(store, lambda uow: uow.journal.position("node1", "cel")) == first
