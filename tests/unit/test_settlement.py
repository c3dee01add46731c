"""How a call ended: real journals first, then the rules one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.domain.enquiry import ContactOutcome as Outcome
from ivr.ports import JournalLine, TraceEvent
from ivr.services.call_story import lived, talks, untold
from ivr.services.journal_lines import CEL, QUEUE_LOG
from ivr.services.settlement import Facts, Rules, Settlement, settle
from tests.journals import lines, story

RULES = Rules(served=5.0, wrapup=30.0)
START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
CALL, LEG, SECOND_LEG = "node1-1.0", "node1-1.1", "node1-1.2"
TRUNK = "PJSIP/anonymous@line-00000000"


def decide(
    call: str, of: Sequence[JournalLine], recorded: Outcome | None = None, restarts: Sequence[datetime] = ()
) -> Settlement:
    found = settle(call, of, Facts(recorded=recorded, restarts=restarts), RULES)
    assert found is not None
    return found


# --- what a real Asterisk wrote --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "outcome", "waiting", "talking", "operator"),
    [
        ("answered", Outcome.SERVED, 0, 8, "201"),
        ("answered_operator_ends", Outcome.SERVED, 0, 7, "201"),
        ("missed_ring_then_answered", Outcome.SERVED, 4, 7, "201"),
        ("too_short", Outcome.TOO_SHORT, 0, 1, "201"),
        ("abandoned", Outcome.ABANDONED_QUEUE, 2, 0, None),
        ("flow_broke_then_abandoned", Outcome.ABANDONED_QUEUE, 2, 0, None),
        ("timeout", Outcome.ABANDONED_QUEUE, 6, 0, None),
        ("left_empty", Outcome.ABANDONED_QUEUE, 3, 0, None),
        ("hangup_in_agi", Outcome.ABANDONED_IVR, 0, 0, None),
        ("flow_end", Outcome.LOST_BY_CRASH, 0, 0, None),
        ("nobody_logged_in", Outcome.LOST_BY_CRASH, 0, 0, None),
        ("nobody_logged_in_three_rounds", Outcome.LOST_BY_CRASH, 0, 0, None),
    ],
)
def test_a_real_call_of_which_the_engine_recorded_nothing(
    name: str, outcome: Outcome, waiting: int, talking: int, operator: str | None
) -> None:
    """`flow_end` and both of nobody: the dialplan hung up, and no engine has said why."""
    found = decide(*story(name))
    assert (found.outcome, found.waiting_s, found.talking_s) == (outcome, waiting, talking)
    assert found.operator == operator


@pytest.mark.parametrize("name", ["answered", "abandoned", "hangup_in_agi"])
def test_a_call_goes_on_until_the_citizens_leg_ends(name: str) -> None:
    call, of = story(name)
    end = next(n for n, line in enumerate(of) if (line.event, line.call) == ("CHAN_END", call))
    assert settle(call, of[:end], Facts(recorded=None), RULES) is None
    assert decide(call, of[: end + 1]) == decide(call, of)


def test_the_end_of_an_operators_leg_is_not_the_end_of_the_call() -> None:
    call, of = story("timeout")
    rung = [line for line in of if line.event == "CHAN_END" and line.call != call]
    first = of.index(rung[0])
    assert settle(call, of[: first + 1], Facts(recorded=None), RULES) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_asterisk_was_killed_in_talk_and_in_queue_and_its_next_start_ends_the_calls(place: int) -> None:
    """A talk without an end is no proof of service: the citizen is rather called back than forgotten."""
    call, of = story("killed_in_talk", place)
    [start] = [line.at for line in lines("killed_in_talk") if line.event == "QUEUESTART"]
    assert settle(call, of, Facts(recorded=None), RULES) is None
    found = decide(call, of, restarts=[start, start + timedelta(hours=1)])
    assert (found.outcome, found.at) == (Outcome.LOST_BY_CRASH, start)
    assert decide(call, of, Outcome.ABANDONED_IVR, [start]).outcome is Outcome.LOST_BY_CRASH
    assert decide(call, of, Outcome.SILENCE, [start]).outcome is Outcome.SILENCE


# --- what is told of it ----------------------------------------------------------------------------


def told(call: str, of: Sequence[JournalLine]) -> list[tuple[str, str, str]]:
    return [(event.kind, event.id, event.outcome) for event in lived(call, of)]


def test_the_trace_tells_of_queues_and_operators() -> None:
    assert told(*story("missed_ring_then_answered")) == [
        ("queue", "general", "entered"),
        ("queue", "general", "left:connected"),
        ("bridge", "201", "joined"),
        ("bridge", "201", "left"),
    ]


@pytest.mark.parametrize(
    ("name", "why"), [("abandoned", "abandoned"), ("timeout", "timeout"), ("left_empty", "no_operator")]
)
def test_the_trace_tells_why_a_queue_was_left(name: str, why: str) -> None:
    assert told(*story(name)) == [("queue", "general", "entered"), ("queue", "general", f"left:{why}")]


@pytest.mark.parametrize("name", ["answered", "answered_operator_ends", "timeout", "too_short"])
def test_with_each_line_more_is_told_and_nothing_else(name: str) -> None:
    call, of = story(name)
    trace: list[TraceEvent] = []
    for count in range(len(of) + 1):
        trace += untold(lived(call, of[:count]), trace)
    assert len(trace) == len(lived(call, of))
    assert untold(lived(call, of), trace) == ()


def test_whole_seconds_of_the_queue_log_do_not_put_the_queue_before_the_menu() -> None:
    call, of = story("abandoned")
    entered = next(line.at for line in of if line.event == "ENTERQUEUE")
    menu = TraceEvent(call=call, at=entered + timedelta(milliseconds=700), kind="key", id="menu", outcome="0")
    first, _ = untold(lived(call, of), [menu])
    assert first.at == menu.at
    assert untold(lived(call, of), [menu, first])[0].outcome == "left:abandoned"


def test_a_quick_announcement_stays_behind_the_entry_that_the_queue_log_tells_later() -> None:
    call, of = story("abandoned")
    entered = next(line for line in of if line.event == "ENTERQUEUE")
    queue, at = entered.data["queue"], entered.at + timedelta(milliseconds=200)
    asked = TraceEvent(call=call, at=at, kind="queue", id=queue, outcome="asked")
    told = replace(asked, at=at + timedelta(milliseconds=100), outcome="announced:1:4")
    first, *_ = untold(lived(call, of), [asked, told])
    assert (first.outcome, first.at) == ("entered", asked.at)


# --- rules, on lines made for them -----------------------------------------------------------------


def cel(seconds: float, event: str, call: str = CALL, channel: str = TRUNK, **data: str) -> JournalLine:
    return JournalLine(
        node="node1",
        journal=CEL,
        generation="1",
        offset=0,
        call=call,
        linked=CALL,
        at=START + timedelta(seconds=seconds),
        event=event,
        data={"channel": channel, **data},
    )


def queue(seconds: int, event: str) -> JournalLine:
    line = cel(seconds, event)
    return replace(line, journal=QUEUE_LOG, data={"queue": "soc-1"})


def operator(extension: str, leg: str, since: float, until: float | None) -> list[JournalLine]:
    """The leg of an operator who is in the bridge for a time."""
    name = f"PJSIP/{extension}-0000000a"
    found = [cel(since, "BRIDGE_ENTER", leg, name, bridge="b")]
    return found if until is None else [*found, cel(until, "BRIDGE_EXIT", leg, name, bridge="b")]


def ended(at: float, context: str = "line", source: str = TRUNK) -> list[JournalLine]:
    hung_up = cel(at, "HANGUP", context=context, source=source)
    return [hung_up, cel(at, "CHAN_END", context=context)]


def ordered(*parts: Sequence[JournalLine]) -> list[JournalLine]:
    return sorted((line for part in parts for line in part), key=lambda line: line.at)


CITIZEN_IN = [cel(10, "BRIDGE_ENTER", bridge="b")]


@pytest.mark.parametrize(
    ("until", "outcome", "talking"),
    [
        (15.0, Outcome.SERVED, 5),
        (14.999999, Outcome.TOO_SHORT, 4),
        (10.2, Outcome.TOO_SHORT, 0),
        (130.9, Outcome.SERVED, 120),
    ],
)
def test_served_is_exactly_so_many_seconds_in_one_bridge_or_more(
    until: float, outcome: Outcome, talking: int
) -> None:
    found = decide(CALL, ordered(CITIZEN_IN, operator("201", LEG, 9.9, until), ended(until + 1, "enter")))
    assert (found.outcome, found.talking_s) == (outcome, talking)


def test_two_short_talks_are_not_one_long_one_but_their_times_are_summed() -> None:
    both = ordered(CITIZEN_IN, operator("201", LEG, 10, 13), operator("202", SECOND_LEG, 14, 18), ended(20))
    found = decide(CALL, both)
    assert (found.outcome, found.talking_s, found.operator) == (Outcome.TOO_SHORT, 7, "202")
    assert found.talked_until == START + timedelta(seconds=18)


def test_two_operators_at_once_count_once() -> None:
    both = ordered(CITIZEN_IN, operator("201", LEG, 10, 20), operator("202", SECOND_LEG, 15, 25), ended(30))
    assert decide(CALL, both).talking_s == 15


def test_a_bridge_without_the_citizen_or_without_an_operator_is_no_talk() -> None:
    elsewhere = [replace(line, data={**line.data, "bridge": "other"}) for line in operator("201", LEG, 1, 9)]
    music = [cel(1, "BRIDGE_ENTER", LEG, "Local/201@engine-00000001;1", bridge="b")]
    assert talks(CALL, ordered(CITIZEN_IN, elsewhere, music)) == ()


def test_the_end_of_a_channel_ends_its_talk_though_the_exit_line_is_lost() -> None:
    found = decide(CALL, ordered(CITIZEN_IN, operator("201", LEG, 10, None), ended(18, "enter")))
    assert (found.outcome, found.talking_s) == (Outcome.SERVED, 8)


@pytest.mark.parametrize("recorded", [Outcome.SELF_SERVICE, Outcome.SILENCE, Outcome.ABANDONED_IVR])
def test_who_talked_with_an_operator_was_served_whatever_was_recorded_before(recorded: Outcome) -> None:
    talk = ordered(CITIZEN_IN, operator("201", LEG, 10, 20), ended(21, "enter"))
    assert decide(CALL, talk, recorded).outcome is Outcome.SERVED


@pytest.mark.parametrize(
    "recorded",
    [Outcome.SELF_SERVICE, Outcome.SILENCE, Outcome.CLOSED_HOURS, Outcome.REFUSED, Outcome.ABANDONED_IVR],
)
def test_what_the_engine_recorded_stands_for_a_call_that_went_no_further(recorded: Outcome) -> None:
    for source in (TRUNK, "dialplan/builtin"):
        assert decide(CALL, ended(9, "next", source), recorded).outcome is recorded


@pytest.mark.parametrize(
    ("context", "outcome"),
    [
        ("wait", Outcome.ABANDONED_QUEUE),
        ("enter", Outcome.ABANDONED_QUEUE),
        ("emergency", Outcome.LOST_BY_CRASH),
        ("sentence", Outcome.LOST_BY_CRASH),
    ],
)
def test_a_flow_that_broke_says_abandoned_and_is_not_believed_once_the_call_went_on(
    context: str, outcome: Outcome
) -> None:
    assert decide(CALL, ended(9, context), Outcome.ABANDONED_IVR).outcome is outcome
    assert decide(CALL, ended(9, context)).outcome is outcome


def test_declining_a_callback_where_nobody_was_logged_in_is_abandoning_the_queue() -> None:
    """No line of queue_log tells of such a turn (JOINEMPTY): the context does."""
    assert decide(CALL, ended(9, "wait", "dialplan/builtin")).outcome is Outcome.ABANDONED_QUEUE


def test_without_the_line_of_the_hangup_the_caller_is_taken_to_have_hung_up() -> None:
    assert decide(CALL, [cel(9, "CHAN_END", context="line")]).outcome is Outcome.ABANDONED_IVR
    assert decide(CALL, [cel(9, "LINKEDID_END")]).outcome is Outcome.ABANDONED_IVR


# --- times -----------------------------------------------------------------------------------------


def test_turns_in_several_queues_are_summed() -> None:
    turns = [
        queue(0, "ENTERQUEUE"),
        queue(7, "EXITWITHTIMEOUT"),
        queue(20, "ENTERQUEUE"),
        queue(25, "ABANDON"),
    ]
    assert decide(CALL, ordered(turns, ended(25.4, "enter"))).waiting_s == 12


def test_an_answered_wait_ends_when_the_bridge_begins() -> None:
    turns = [queue(3, "ENTERQUEUE"), queue(9, "CONNECT")]
    found = decide(CALL, ordered(turns, CITIZEN_IN, operator("201", LEG, 9.5, 30), ended(30, "enter")))
    assert (found.waiting_s, found.talking_s) == (7, 20)


def test_rounded_down_seconds_never_make_a_wait_negative() -> None:
    """The queue's second may lie after the bridge's microsecond when the clock was set back."""
    turns = [queue(11, "ENTERQUEUE"), queue(9, "CONNECT")]
    found = decide(CALL, ordered(turns, CITIZEN_IN, operator("201", LEG, 9, 30), ended(30, "enter")))
    assert found.waiting_s >= 0


def test_a_wait_whose_end_nobody_wrote_ends_with_the_call() -> None:
    assert decide(CALL, ordered([queue(4, "ENTERQUEUE")], ended(9.9, "enter"))).waiting_s == 5


def test_a_wait_whose_end_is_lost_ends_with_the_next_one() -> None:
    turns = [queue(0, "ENTERQUEUE"), queue(10, "ENTERQUEUE"), queue(12, "ABANDON")]
    assert decide(CALL, ordered(turns, ended(12.2, "enter"))).waiting_s == 12
