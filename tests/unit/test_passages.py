"""From the journals to passages: real captures first, then rules on lines made for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.figures import Fate
from ivr.domain.passage import Passage
from ivr.ports import JournalLine
from ivr.services import call_story, hold_story
from ivr.services.passages import passages
from tests.journals import FOLDER, captured, lines, story
from tests.unit.test_settlement import (
    CALL,
    LEG,
    SECOND_LEG,
    START,
    cel,
    decide,
    ended,
    operator,
    ordered,
    queue,
)

SETTLED = sorted(file.stem for file in FOLDER.glob("*.txt") if file.stem != "operator_logs_in")


def drawn(name: str, place: int = 0) -> tuple[Passage, ...]:
    call, of = story(name, place)
    end = call_story.ending(call, of)
    return passages(call, of, until=end.at if end is not None else None)


def told(found: tuple[Passage, ...]) -> list[tuple[object, ...]]:
    return [(p.queue, p.why, p.operator, p.waited_s, p.talking_s, p.hold_s, p.missed) for p in found]


# --- what a real Asterisk wrote ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("answered", [("general", "connected", "201", 0, 8, 0, ())]),
        ("missed_ring_then_answered", [("general", "connected", "201", 4, 7, 0, ("201",))]),
        ("missed_ring_twice", [("general", "abandoned", None, 9, 0, 0, ("201", "201"))]),
        ("abandoned", [("general", "abandoned", None, 2, 0, 0, ())]),
        ("timeout", [("general", "timeout", None, 6, 0, 0, ("201", "201"))]),
        ("left_empty", [("general", "no_operator", None, 3, 0, 0, ("201",))]),
        ("withdrawn", [("general", "paused", None, 8, 0, 0, ("201", "201"))]),
        ("not_let_in", [("general", "no_operator", None, 0, 0, 0, ())]),
        (
            "left_by_key",
            [
                ("general", "callback", None, 6, 0, 0, ("201",)),
                ("general", "abandoned", None, 8, 0, 0, ("201", "201")),
            ],
        ),
        (
            "redirected_to_another_queue",
            [("general", "connected", "201", 0, 3, 0, ()), ("soc-1", "connected", "202", 0, 6, 0, ())],
        ),
        ("hold", [("general", "connected", "201", 1, 6, 4, ())]),
        ("hold_until_hangup", [("general", "connected", "201", 0, 2, 6, ())]),
        ("hangup_in_agi", []),
        (
            "attended_transfer",
            [("general", "connected", "211", 4, 1, 22, ()), ("", "connected", "212", 0, 6, 0, ())],
        ),
        (
            "three_way",
            [("general", "connected", "211", 5, 8, 22, ()), ("", "connected", "212", 0, 8, 0, ())],
        ),
        ("taken_back", [("general", "connected", "211", 4, 8, 22, ())]),
        (
            "operator_again",
            [("general", "connected", "211", 5, 2, 1, ()), ("", "connected", "211", 0, 6, 0, ())],
        ),
    ],
)
def test_a_real_call(name: str, wanted: list[tuple[object, ...]]) -> None:
    """`left_by_key`: no engine was there, so who pressed 1 waited on. `redirected…`: a transfer by our own
    path, after which queue_log tells of two talks that end together; CEL knows better. From the transfer menu
    to the end of a consultation the citizen hears music. `operator_again`: Dial, not a queue, led back."""
    assert told(drawn(name)) == wanted


@pytest.mark.parametrize("name", ["attended_transfer", "three_way", "taken_back"])
def test_a_consultation_in_a_queue_is_no_turn_of_the_citizen(name: str) -> None:
    """Its lines are of the operator's own leg, which has not arrived."""
    call, _ = story(name)
    asked = [line for line in lines(name) if line.event == "ENTERQUEUE" and line.call != call]
    assert [line.data["queue"] for line in asked] == ["szn-2"]
    assert [p.queue for p in drawn(name) if p.queue] == ["general"]
    assert asked[0].call not in captured(name)["arrivals"]


def test_three_at_once_count_once_on_the_card() -> None:
    """And for each operator the own time."""
    found, card = drawn("three_way"), decide(*story("three_way"))
    assert card.talking_s < sum(p.talking_s + p.hold_s for p in found)


def test_two_calls_at_once_have_each_their_operator() -> None:
    both = [told(drawn("two_at_once", place))[0] for place in (0, 1)]
    assert sorted((operator, waited) for _, _, operator, waited, *_ in both) == [("201", 0), ("202", 3)]


CALLS = [(name, n) for name in SETTLED for n in range(captured(name)["arrivals"].count("\n"))]
"""Every arrival of every capture."""


ODD = ("killed_in_talk", "three_way")
"""Without an end, and with two talks at once, which are one to the citizen."""


@pytest.mark.parametrize(("name", "place"), [pair for pair in CALLS if pair[0] not in ODD])
def test_passages_and_the_card_tell_the_same_times(name: str, place: int) -> None:
    """The waits of a call sum to the contact's wait, talks and holds to its talk, to the rounding."""
    call, of = story(name, place)
    found, card = drawn(name, place), decide(call, of)
    assert sum(p.waited_s for p in found) == card.waiting_s
    together = sum(p.talking_s + p.hold_s for p in found)
    assert together <= card.talking_s <= together + len(found)


@pytest.mark.parametrize(("name", "place"), CALLS)
def test_every_passage_leads_back_to_lines(name: str, place: int) -> None:
    """Its queue, its operator and the moment of its beginning stand in the journals."""
    _, of = story(name, place)
    for passage in drawn(name, place):
        begun = [line for line in of if line.at == passage.entered]
        assert any(line.data.get("queue", "") == passage.queue for line in begun)
        if passage.operator is not None:
            assert any(f"PJSIP/{passage.operator}-" in line.data.get("channel", "") for line in of)


# --- rules -------------------------------------------------------------------------------------------

IN = [cel(10, "BRIDGE_ENTER", bridge="b")]


def connected(seconds: int, extension: str, leg: str) -> JournalLine:
    line = queue(seconds, "CONNECT")
    return replace(line, data={**line.data, "agent": f"PJSIP/{extension}", "leg": leg})


def held(seconds: int, event: str, extension: str) -> JournalLine:
    line = queue(seconds, event)
    return replace(line, data={"agent": f"PJSIP/{extension}"})


def test_an_operator_who_joins_a_talk_has_a_passage_without_a_queue() -> None:
    """Three-way or attended: the second operator was reached by a transfer, and is nobody's offer."""
    found = passages(
        CALL,
        ordered(
            [queue(3, "ENTERQUEUE"), connected(9, "201", LEG)],
            IN,
            operator("201", LEG, 9, 20),
            operator("202", SECOND_LEG, 15, 30),
            ended(30, "parted"),
        ),
    )
    assert told(found) == [
        ("soc-1", "connected", "201", 7, 10, 0, ()),
        ("", "connected", "202", 0, 15, 0, ()),
    ]
    assert [p.fate for p in found] == [Fate.ANSWERED, None]


def test_an_operator_who_comes_back_after_a_failed_transfer_has_one_passage() -> None:
    away = [cel(14, "BRIDGE_EXIT", bridge="b"), cel(20, "BRIDGE_ENTER", bridge="c")]
    back = [replace(line, data={**line.data, "bridge": "c"}) for line in operator("201", LEG, 20, 25)]
    [found] = passages(
        CALL,
        ordered(
            [queue(3, "ENTERQUEUE"), connected(9, "201", LEG)],
            IN,
            operator("201", LEG, 9, 14),
            away,
            back,
            ended(25, "parted"),
        ),
    )
    assert (found.operator, found.talking_s) == ("201", 9)


def test_a_hold_while_the_operator_asks_somebody_else_is_a_hold_too() -> None:
    """The citizen is out of the bridge meanwhile: talk, hold and their sum are right."""
    away = [cel(14, "BRIDGE_EXIT", bridge="b"), cel(20, "BRIDGE_ENTER", bridge="b")]
    back = operator("201", LEG, 20, 25)
    [found] = passages(
        CALL,
        ordered(
            [queue(3, "ENTERQUEUE"), connected(9, "201", LEG)],
            [held(14, "HOLD", "201"), held(20, "UNHOLD", "201")],
            IN,
            operator("201", LEG, 9, 14),
            away,
            back,
            ended(25, "parted"),
        ),
    )
    assert (found.talking_s, found.hold_s) == (9, 6)


def test_a_consultation_that_ends_with_the_colleague_is_the_first_operators_hold() -> None:
    """Until the colleague talks with the citizen; the card has it in its talk, as it has all holds."""
    away = [cel(14, "BRIDGE_EXIT", bridge="b"), cel(20.4, "BRIDGE_ENTER", bridge="b")]
    lines = ordered(
        [queue(3, "ENTERQUEUE"), connected(9, "201", LEG)],
        [held(15, "HOLD", "201"), held(21, "UNHOLD", "201")],
        IN,
        operator("201", LEG, 9, 14),
        away,
        operator("202", SECOND_LEG, 20.4, 30),
        ended(30, "parted"),
    )
    found = passages(CALL, lines)
    assert told(found) == [
        ("soc-1", "connected", "201", 7, 4, 6, ()),
        ("", "connected", "202", 0, 9, 0, ()),
    ]
    assert decide(CALL, lines).talking_s == 20


def test_a_citizen_who_hangs_up_during_a_consultation_was_on_hold_until_then() -> None:
    away = [cel(14, "BRIDGE_EXIT", bridge="b")]
    lines = ordered(
        [
            queue(3, "ENTERQUEUE"),
            connected(9, "201", LEG),
            held(14, "HOLD", "201"),
            held(25, "UNHOLD", "201"),
        ],
        IN,
        operator("201", LEG, 9, 14),
        away,
        ended(24, "transfer"),
    )
    [found] = passages(CALL, lines, until=START + timedelta(seconds=24))
    assert (found.talking_s, found.hold_s) == (4, 10)
    assert decide(CALL, lines).talking_s == 14


def test_a_hold_within_a_hold_ends_neither() -> None:
    """The consultation begins before the transfer menu, which is a hold to Asterisk, has ended."""
    events = ((12, "HOLD"), (14, "HOLD"), (14, "UNHOLD"), (17, "HOLD"), (18, "UNHOLD"), (20, "UNHOLD"))
    [found] = hold_story.holds([held(seconds, event, "201") for seconds, event in events])
    assert found.until is not None
    assert (found.until - found.since).total_seconds() == 8


def test_an_end_of_a_hold_whose_beginning_nobody_wrote_is_none() -> None:
    assert hold_story.holds([held(12, "UNHOLD", "201")]) == ()


def test_a_hold_whose_end_nobody_wrote_does_not_outlast_its_talk() -> None:
    """The citizen waits for somebody else by then."""
    [found] = passages(
        CALL,
        ordered(
            [queue(3, "ENTERQUEUE"), connected(9, "201", LEG), held(12, "HOLD", "201")],
            IN,
            operator("201", LEG, 9, 14),
            ended(30, "parted"),
        ),
    )
    assert (found.talking_s, found.hold_s) == (2, 2)


def test_a_hold_of_somebody_else_is_not_the_operators() -> None:
    [found] = passages(
        CALL,
        ordered(
            [queue(3, "ENTERQUEUE"), connected(9, "201", LEG), held(12, "HOLD", "202")],
            IN,
            operator("201", LEG, 9, 20),
            ended(20, "parted"),
        ),
    )
    assert (found.talking_s, found.hold_s) == (10, 0)


def test_a_talk_ends_a_wait_whose_connect_line_is_lost() -> None:
    [found] = passages(
        CALL, ordered([queue(3, "ENTERQUEUE")], IN, operator("201", LEG, 9, 20), ended(20, "parted"))
    )
    assert told((found,)) == [("soc-1", "connected", "201", 7, 10, 0, ())]


@pytest.mark.parametrize(
    ("outcome", "why", "fate"),
    [
        (ContactOutcome.ABANDONED_QUEUE, "abandoned", Fate.ABANDONED),
        (ContactOutcome.LOST_BY_CRASH, "lost", Fate.LOST),
        (ContactOutcome.SILENCE, "unknown", Fate.GIVEN_BACK),
    ],
)
def test_a_wait_whose_end_no_line_tells_ends_with_the_settled_call(
    outcome: ContactOutcome, why: str, fate: Fate
) -> None:
    lines = ordered([queue(4, "ENTERQUEUE")], ended(9.9, "enter"))
    until = START + timedelta(seconds=9.9)
    [going] = passages(CALL, lines)
    [found] = passages(CALL, lines, until=until, outcome=outcome)
    assert (going.why, going.fate, going.waited_s) == ("", Fate.WAITING, 0)
    assert (found.why, found.fate, found.waited_s) == (why, fate, 5)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from(("ENTERQUEUE", "ABANDON", "EXITWITHTIMEOUT", "WITHDRAW", "NOTJOINED")),
    )
)


@given(STEPS)
def test_each_entering_is_one_passage_and_has_one_fate(steps: list[tuple[int, str]]) -> None:
    """Whatever is missing between: turns sum to the lines that begin them."""
    lines = ordered([queue(seconds, event) for seconds, event in sorted(steps)], ended(61, "enter"))
    found = passages(CALL, lines, until=START + timedelta(seconds=61), outcome=ContactOutcome.ABANDONED_QUEUE)
    begun = sum(line.event in ("ENTERQUEUE", "NOTJOINED") for line in lines)
    assert len(found) == begun
    assert all(p.fate not in (None, Fate.WAITING) and p.left is not None for p in found)
