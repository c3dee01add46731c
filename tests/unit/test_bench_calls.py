"""What the bench of calls concludes from what it has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bench.call_servers import PANORAMISK, PYST2
from bench.calls_report import ENGINE, FIGURES, PLAIN, Cell, Measured, Outcomes, highest, report, row
from bench.offered import Offered, judged, lateness, verdict
from tests.harness.sipp import Message, SippCall

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = (PLAIN, ENGINE, PANORAMISK, PYST2)


def message(after: float, method: str, *, sent: bool, status: int | None = None) -> Message:
    return Message(at=BEGIN + timedelta(seconds=after), sent=sent, method=method, status=status)


def call(*messages: Message) -> SippCall:
    return SippCall(call_id="1-x", number="79120000000", messages=list(messages))


ANSWERED = (message(0, "INVITE", sent=True), message(0.1, "INVITE", sent=False, status=200))
KEY = message(1.1, "INFO", sent=True)
TAKEN = message(1.1, "INFO", sent=False, status=200)
BYE = message(1.35, "BYE", sent=False)
GOOD = call(*ANSWERED, KEY, TAKEN, BYE)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (GOOD, ""),
        (call(ANSWERED[0]), "not answered (no answer)"),
        (call(ANSWERED[0], message(0.1, "INVITE", sent=False, status=503)), "not answered (503)"),
        (call(*ANSWERED, BYE), "hung up on before the key, or the key was refused"),
        (
            call(*ANSWERED, KEY, message(1.1, "INFO", sent=False, status=481)),
            "hung up on before the key, or the key was refused",
        ),
        (call(*ANSWERED, KEY, TAKEN), "not hung up on in 3 s"),
        (call(*ANSWERED, KEY, TAKEN, message(4.2, "BYE", sent=True)), "not hung up on in 3 s"),
    ],
)
def test_a_call_is_good_when_it_was_answered_heard_the_key_and_was_hung_up_on(
    made: SippCall, why: str
) -> None:
    assert verdict(made) == why


def test_how_late_a_call_ends_is_told_from_the_key_to_the_bye() -> None:
    assert lateness(GOOD) == pytest.approx(250)


def test_calls_that_were_never_made_have_failed() -> None:
    assert judged([GOOD], calls=3).failures == {"never made": 2}


@pytest.mark.parametrize(("calls", "bad", "sound"), [(1000, 1, True), (1000, 2, False), (999, 1, False)])
def test_a_rate_is_handled_with_999_of_1000_good_calls(calls: int, bad: int, sound: bool) -> None:
    offered = Offered(calls=calls, failures=Counter(broken=bad), late_ms=(), load_pct=0)
    assert offered.sound is sound


def measured(
    round_: int = 0, *, asterisk: float = 2.0, own: float | None = 0.5, bad: int = 0, late: float = 100
) -> Measured:
    offered = Offered(calls=100, failures=+Counter(broken=bad), late_ms=(late, 2 * late), load_pct=5)
    return Measured(round_=round_, offered=offered, asterisk_ms=asterisk, own_ms=own, idle_pct=1.0)


def test_a_row_has_medians_and_the_share_within_each_round() -> None:
    found = row(Cell(ENGINE, 50), [measured(asterisk=2, own=1), measured(1, asterisk=4, own=1)])
    assert (found["asterisk_ms"], found["own_ms"], found["share"]) == (3, 1, 0.375)
    assert (found["late_p50_ms"], found["late_p99_ms"]) == (100, 200)
    assert (found["failed"], found["note"]) == (False, "")


def test_the_dialplan_alone_has_no_cost_of_its_own() -> None:
    found = row(Cell(PLAIN, 50), [measured(own=None)])
    assert found["own_ms"] is found["share"] is None
    assert found["asterisk_ms"] == 2


def test_a_rate_that_was_too_much_in_one_round_has_no_figures_but_the_reason() -> None:
    found = row(Cell(ENGINE, 50), [measured(), measured(1, bad=7)])
    assert found["failed"] is True
    assert found["note"] == "failed: broken (7) of 200"
    assert [found[name] for name in FIGURES] == [None] * len(FIGURES)


def outcomes(rounds: Sequence[Sequence[int]], name: str = ENGINE) -> Outcomes:
    """By round: the rates that were handled; the next one of 50, 100, 150 was too much."""
    found: Outcomes = {}
    for round_, good in enumerate(rounds):
        for rate in (50, 100, 150):
            found.setdefault(Cell(name, rate), []).append(measured(round_, bad=0 if rate in good else 9))
            if rate not in good:
                break
    return found


def test_the_highest_rate_is_that_of_each_round_by_itself() -> None:
    found = outcomes([(50,), (50, 100, 150), ()])
    assert highest(found, ENGINE, (50, 100, 150), 3) == [50, 150, 0]


def test_targets_are_told_with_what_was_measured() -> None:
    found: Outcomes = {}
    for name, good in ((PLAIN, (50, 100)), (ENGINE, (50, 100)), (PANORAMISK, (50,)), (PYST2, (50,))):
        found |= outcomes([good], name)
    cost, plain, panoramisk = report(found, rates=(50, 100, 150), rounds=1, names=NAMES).targets
    assert (cost.measured, cost.met) == (0.25, True)
    assert (plain.measured, plain.met) == (1.0, True)
    assert (panoramisk.measured, panoramisk.met) == (2.0, True)


def test_an_engine_that_fails_everywhere_misses_all_targets() -> None:
    found: Outcomes = {}
    for name in NAMES:
        found |= outcomes([() if name == ENGINE else (50,)], name)
    made = report(found, rates=(50, 100, 150), rounds=1, names=NAMES)
    assert [target.met for target in made.targets] == [False, False, False]
    assert [r["failed"] for r in made.tables[1].rows] == [False, True, False, False]
