"""How an attempt to call a citizen ended: a real journal first, then the rules one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.domain.callback import call_of, waiting_call
from ivr.domain.enquiry import ContactOutcome as Outcome
from ivr.ports import JournalLine
from ivr.services import passages
from ivr.services.call_story import lived, talks
from ivr.services.journal_lines import CEL, QUEUE_LOG, Place, parse
from ivr.services.lost_entries import completed
from ivr.services.outbound_settlement import settle
from ivr.services.settlement import Facts, Rules, Settlement

RULES = Rules(served=5.0, wrapup=30.0)
START = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
CALL = call_of("01M88AQ4HKDJGHR6CN84YPZKG4", 1)
FAR = waiting_call(CALL)
OPERATOR, CITIZEN = "node1-1.7", "node1-1.9"
HERE, THERE = "bridge-here", "bridge-there"
_NAMES = {
    CALL: "Local/01M88AQ4HKDJGHR6CN84YPZKG4@callback-queue-00000000;1",
    FAR: "Local/01M88AQ4HKDJGHR6CN84YPZKG4@callback-queue-00000000;2",
    OPERATOR: "PJSIP/201-00000005",
    CITIZEN: "PJSIP/trunk-00000007",
}
Event = tuple[float, str, str] | tuple[float, str, str, str]
"""Seconds, event, leg, and the bridge or the cause."""


def journal(*events: Event) -> list[JournalLine]:
    """Lines of CEL, all linked to the callback's leg."""
    made = []
    for offset, (seconds, event, leg, *more) in enumerate(events):
        name = "cause" if event == "HANGUP" else "bridge"
        made.append(
            JournalLine(
                node="node1",
                journal=CEL,
                generation="1",
                offset=offset,
                call=leg,
                linked=CALL,
                at=START + timedelta(seconds=seconds),
                event=event,
                data={"channel": _NAMES[leg], **({name: more[0]} if more else {})},
            )
        )
    return made


def operator_waits() -> tuple[Event, ...]:
    """An operator has taken the place in the queue, and the citizen's telephone rings."""
    return (
        (0, "CHAN_START", CALL),
        (0, "CHAN_START", FAR),
        (1, "CHAN_START", OPERATOR),
        (2, "BRIDGE_ENTER", OPERATOR, HERE),
        (2, "BRIDGE_ENTER", FAR, HERE),
        (3, "CHAN_START", CITIZEN),
    )


def talked(seconds: float, *, since: float = 10.0) -> tuple[Event, ...]:
    """From the bridge of the citizen's half to the end of everything."""
    end = since + seconds
    return (
        *operator_waits(),
        (4, "ANSWER", CITIZEN),
        (since, "BRIDGE_ENTER", CITIZEN, THERE),
        (since, "BRIDGE_ENTER", CALL, THERE),
        (end, "BRIDGE_EXIT", OPERATOR, HERE),
        (end, "BRIDGE_EXIT", FAR, HERE),
        (end, "BRIDGE_EXIT", CALL, THERE),
        (end, "BRIDGE_EXIT", CITIZEN, THERE),
        (end, "HANGUP", CITIZEN, "16"),
        (end, "LINKEDID_END", CITIZEN),
    )


def refused(cause: str) -> tuple[Event, ...]:
    return (
        *operator_waits(),
        (9, "HANGUP", CITIZEN, cause),
        (9, "CHAN_END", CITIZEN),
        (9.1, "BRIDGE_EXIT", FAR, HERE),
        (9.2, "LINKEDID_END", OPERATOR),
    )


def decide(
    events: Iterable[Event], recorded: Outcome | None = None, restarts: Sequence[datetime] = ()
) -> Settlement:
    found = settle(CALL, journal(*events), Facts(recorded=recorded, restarts=restarts), RULES)
    assert found is not None
    return found


def real(name: str) -> list[JournalLine]:
    """What a real Asterisk wrote of a callback."""
    text = (Path(__file__).parents[1] / "fixtures" / "callbacks" / f"{name}.txt").read_text("ascii")
    rows = text.splitlines()[1:]
    reads = [
        parse(row.encode(), Place(node="node1", journal=CEL, generation="1", offset=n))
        for n, row in enumerate(rows)
    ]
    assert None not in reads
    return [read.line for read in reads if read is not None]


def test_a_real_talk_is_served_from_the_bridge_on_and_not_from_the_answer() -> None:
    """The citizen heard for 35 s who calls before the operator was there."""
    lines = real("served")
    found = settle(CALL, lines, Facts(recorded=None), RULES)
    assert found is not None
    assert (found.outcome, found.talking_s, found.operator) == (Outcome.SERVED, 6, "201")
    [talk] = talks(CALL, lines)
    assert talk.until is not None
    assert [event.outcome for event in lived(CALL, lines)] == ["joined", "left"]


def test_nobody_has_waited_in_a_queue_for_a_place_that_was_held() -> None:
    """So no figure of a queue counts it; the operator's talk is counted."""
    [passage] = passages.passages(CALL, real("served"))
    assert (passage.queue, passage.operator, passage.talking_s) == ("", "201", 6)


def test_an_attempt_goes_on_until_its_last_leg_is_gone() -> None:
    whole = talked(8)
    facts = Facts(recorded=None)
    assert settle(CALL, journal(*whole[:-1]), facts, RULES) is None
    assert settle(CALL, journal(*whole), facts, RULES) is not None


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(5.0, Outcome.SERVED), (4.999, Outcome.TOO_SHORT), (0.0, Outcome.TOO_SHORT)]
)
def test_served_is_a_talk_of_so_many_seconds(seconds: float, outcome: Outcome) -> None:
    assert decide(talked(seconds)).outcome is outcome


def test_an_operator_who_waits_for_a_telephone_that_rings_talks_with_nobody() -> None:
    found = decide(refused("17"))
    assert (found.talking_s, found.operator, found.waiting_s) == (0, None, 0)


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ("17", Outcome.BUSY),
        ("21", Outcome.BUSY),
        ("19", Outcome.NO_ANSWER),
        ("18", Outcome.NO_ANSWER),
        ("16", Outcome.NO_ANSWER),
        ("0", Outcome.NO_ANSWER),
        ("1", Outcome.INVALID),
        ("28", Outcome.INVALID),
        ("34", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
    ],
)
def test_the_cause_tells_what_came_of_a_telephone_that_was_not_answered(cause: str, outcome: Outcome) -> None:
    assert decide(refused(cause)).outcome is outcome


def test_an_answer_before_which_nobody_was_found_is_too_short_whatever_the_cause() -> None:
    """A time was agreed: the citizen answered, and hung up while the operator's telephone rang."""
    events: tuple[Event, ...] = (
        (0, "CHAN_START", CALL),
        (0, "CHAN_START", CITIZEN),
        (1, "ANSWER", CITIZEN),
        (2, "BRIDGE_ENTER", CITIZEN, THERE),
        (2, "BRIDGE_ENTER", FAR, THERE),
        (9, "HANGUP", CITIZEN, "17"),
        (9, "LINKEDID_END", CITIZEN),
    )
    assert decide(events).outcome is Outcome.TOO_SHORT


def test_a_promise_of_which_no_leg_was_made_has_an_unknown_end() -> None:
    events: tuple[Event, ...] = ((0, "CHAN_START", CALL), (1, "LINKEDID_END", CALL))
    assert decide(events).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("recorded", [Outcome.MACHINE, Outcome.NO_ANSWER, Outcome.TOO_SHORT])
def test_what_the_operator_said_outweighs_the_longest_talk(recorded: Outcome) -> None:
    assert decide(talked(60), recorded).outcome is recorded


def test_what_the_operator_said_of_a_telephone_that_nobody_answered_is_only_its_cause() -> None:
    assert decide(refused("17"), Outcome.MACHINE).outcome is Outcome.BUSY


def test_a_start_of_asterisk_ends_an_attempt_and_what_came_of_it_is_unknown() -> None:
    restart = START + timedelta(minutes=5)
    found = decide(operator_waits(), None, [restart])
    assert (found.outcome, found.at) == (Outcome.UNKNOWN, restart)


def test_a_talk_whose_end_is_known_counts_though_asterisk_died_after_it() -> None:
    whole = talked(8)
    found = decide(whole[:-2], None, [START + timedelta(minutes=5)])
    assert found.outcome is Outcome.SERVED


def test_a_second_operator_in_the_far_bridge_talks_with_the_citizen_too() -> None:
    """Transfers move the half that the operator sees; the citizen stays at the other end."""
    second = "node1-1.11"
    _NAMES.setdefault(second, "PJSIP/202-00000008")
    events: tuple[Event, ...] = (
        *talked(60)[:9],
        (20, "BRIDGE_EXIT", FAR, HERE),
        (20, "BRIDGE_EXIT", OPERATOR, HERE),
        (21, "BRIDGE_ENTER", second, "bridge-second"),
        (21, "BRIDGE_ENTER", FAR, "bridge-second"),
        (40, "LINKEDID_END", CITIZEN),
    )
    assert [(talk.extension, talk.since - START) for talk in talks(CALL, journal(*events))] == [
        ("201", timedelta(seconds=10)),
        ("202", timedelta(seconds=21)),
    ]


def test_lines_of_a_place_in_a_queue_are_not_the_citizens_and_lines_of_a_hold_are() -> None:
    """The queue knows the half that holds the place; hold lines are about the talk."""

    def linked(event: str) -> str:
        row = f"1795576036|{FAR}|general|PJSIP/201|{event}|1|2|3".encode()
        read = parse(row, Place(node="node1", journal=QUEUE_LOG, generation="1", offset=0))
        assert read is not None
        return read.line.linked

    assert (linked("CONNECT"), linked("HOLD"), linked("UNHOLD")) == (FAR, CALL, CALL)


def decided(lines: Sequence[JournalLine]) -> Settlement:
    found = settle(CALL, lines, Facts(recorded=None), RULES)
    assert found is not None
    return found


def on_a_full_disk(seconds: float, *, since: float = 10.0) -> list[JournalLine]:
    """No line of the citizen's answer and of the talk's beginning; the leg's exit tells when it began."""
    lost = ("ANSWER", "BRIDGE_ENTER")
    lines = [line for line in journal(*talked(seconds, since=since)) if line.event not in lost]
    joined = {CITIZEN: since, OPERATOR: 2.0}
    return [
        replace(line, data={**line.data, "joined": f"{(START.timestamp() + joined[line.call]):.0f}"})
        if line.event == "BRIDGE_EXIT" and line.call in joined
        else line
        for line in lines
    ]


@pytest.mark.parametrize(("seconds", "outcome"), [(5.0, Outcome.SERVED), (4.0, Outcome.TOO_SHORT)])
def test_a_talk_whose_beginning_is_lost_is_as_long_as_its_end_tells(seconds: float, outcome: Outcome) -> None:
    found = decided(on_a_full_disk(seconds))
    assert (found.outcome, found.talking_s, found.operator) == (outcome, int(seconds), "201")


def test_without_that_time_nobody_knows_of_a_talk() -> None:
    lines = [replace(line, data={**line.data, "joined": ""}) for line in on_a_full_disk(20.0)]
    lines = [replace(line, data={k: v for k, v in line.data.items() if v}) for line in lines]
    assert decided(lines).outcome is Outcome.NO_ANSWER


def test_a_time_before_the_leg_left_another_bridge_is_of_that_bridge() -> None:
    """An operator who comes back to the citizen carries the time of the first talk."""
    first = journal((2, "BRIDGE_ENTER", OPERATOR, HERE), (14, "BRIDGE_EXIT", OPERATOR, HERE))
    [again] = journal((60, "BRIDGE_EXIT", OPERATOR, THERE))
    joined = {"joined": f"{START.timestamp() + 2:.0f}"}
    assert completed([*first, late := replace(again, data={**again.data, **joined})]) == [*first, late]
    assert len(completed([late])) == 2


def test_what_the_engine_has_seen_of_a_talk_counts_where_no_journal_tells() -> None:
    lines = journal(*operator_waits())
    facts = Facts(recorded=Outcome.SERVED, restarts=[START + timedelta(seconds=60)])
    found = settle(CALL, lines, facts, RULES)
    assert found is not None and found.outcome is Outcome.SERVED
