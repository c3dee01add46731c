"""What the bench of waiting callers concludes from what it has seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.phones import Rung, rung
from bench.waiting import buckets
from bench.waiting_board import Seen, delays
from bench.waiting_report import (
    FIGURES,
    FIGURES_INSIDE,
    IDLE_SECONDS,
    Cell,
    Measured,
    after_ready,
    bound,
    failures,
    inside_row,
    report,
    rings,
    row,
    summed,
)
from tests.harness.sipp import Message, SippCall

ENGINE, PLAIN = Cell("engine", 200), Cell("plain dialplan", 200)


def measured(*, engine: bool = True, **bad: int) -> Measured:
    own = {"engine_pct": 20.0, "lag_s": [(0.1, 98.0), (0.5, 100.0)], "board_s": [0.4, 1.2], "ready_s": [0.1]}
    return Measured(
        failures=bad, served_per_minute=120, asterisk_pct=30, ring_s=[0.5, 2.5], **(own if engine else {})
    )


def call(*, status: int = 200, begun: float = 0, bye: float | None = None, key: int = 200) -> SippCall:
    def message(at: float, method: str, status: int | None = None, *, sent: bool = True) -> Message:
        return Message(at=datetime.fromtimestamp(at, UTC), sent=sent, method=method, status=status)

    said = [message(begun, "INVITE"), message(begun, "INVITE", status, sent=False)]
    said += [message(begun + 1, "INFO"), message(begun + 1, "INFO", key, sent=False)]
    said += [] if bye is None else [message(bye, "BYE", sent=False)]
    return SippCall(call_id="1-x", number="79160000000", messages=said)


def test_figures_are_told_in_milliseconds_and_a_contestant_without_engine_has_none_of_it() -> None:
    inside = inside_row(ENGINE, [measured()])
    assert (inside["lag_p50_ms"], inside["lag_p99_ms"], inside["board_most_ms"]) == (100, 500, 1200)
    assert (inside["ready_p50_ms"], inside["failed"]) == (100, False)
    found, alone = row(ENGINE, [measured()]), row(PLAIN, [measured(engine=False)])
    assert (found["ring_p50_ms"], found["ring_p99_ms"], found["engine_pct"]) == (500, 2500, 20)
    assert (alone["ring_p99_ms"], alone["engine_pct"], alone["failed"]) == (2500, None, False)


def test_one_failure_leaves_no_figures_and_misses_the_targets() -> None:
    made = report({PLAIN: [measured(engine=False)], ENGINE: [measured(), measured(lost=2)]})
    found = made.tables[0].rows[1]
    assert found["note"] == "failed: lost (2)"
    assert [found[name] for name in FIGURES] == [None] * len(FIGURES)
    assert [made.tables[1].rows[0][name] for name in FIGURES_INSIDE] == [None] * len(FIGURES_INSIDE)
    assert [target.met for target in made.targets] == [False, False, False]
    assert all(target.met for target in report({ENGINE: [measured()]}).targets)


def test_buckets_of_rounds_are_added_and_a_share_lies_under_a_limit() -> None:
    both = summed([[(0.1, 5.0), (1.0, 9.0)], [(0.1, 5.0), (1.0, 11.0)]])
    assert both == [(0.1, 10.0), (1.0, 20.0)]
    assert (bound(both, 0.5), bound(both, 0.51)) == (0.1, 1)
    assert (bound([], 0.5), bound([(1.0, 0.0)], 0.5)) == (None, None)
    assert buckets(['ekc_ami_lag_seconds_bucket{le="+Inf"}', "ekc_ami_lag_seconds_sum"]) == [
        ('ekc_ami_lag_seconds_bucket{le="+Inf"}', "+Inf")
    ]


def test_a_telephone_rings_so_long_after_the_wrap_up_that_follows_its_bye() -> None:
    calls = [
        Rung(extension="301", at=0, answered=True, over=10),
        Rung(extension="302", at=1, answered=True, over=10),
        Rung(extension="301", at=14.5, answered=True, over=20),
        Rung(extension="301", at=24.2, answered=True),
    ]
    found, forgotten = rings(calls, wrapup=4, since=5, until=20)
    assert (found, forgotten) == ([0.5], 0)
    assert rings(calls, wrapup=4, since=5, until=14 + IDLE_SECONDS + 1)[1] == 1, "302 is never rung again"


def test_a_ringing_follows_the_moment_at_which_the_database_says_ready() -> None:
    calls = [Rung(extension="301", at=5.0), Rung(extension="302", at=6.0), Rung(extension="301", at=30.0)]
    assert after_ready([("301", 4.5), ("302", 7.0), ("301", 29.0)], calls, until=20) == [0.5]


def test_each_change_is_seen_by_the_first_board_that_shows_it() -> None:
    seen = [Seen(at=n, waiting=w) for n, w in ((1.0, 0), (2.0, 1), (3.0, 2), (4.0, 1), (5.0, 0))]
    assert delays([1.5, 2.25], [3.5, 3.75], seen) == [0.5, 0.75, 0.5, 1.25]
    assert delays([1.5], [4.5], seen[:2]) == [0.5, None]


@pytest.mark.parametrize(
    ("made", "bad"),
    [
        ([call(), call(bye=50)], {}),
        ([call(bye=50), call(bye=60)], {"hung up on without an operator": 1}),
        ([call(status=503)], {"not answered (503)": 1}),
        ([call(status=0, begun=98)], {}),
        ([call(key=481)], {"key refused": 1}),
        ([call(bye=101), call(bye=102)], {}),
    ],
)
def test_who_is_not_answered_or_gone_without_an_operator_has_failed(
    made: list[SippCall], bad: dict[str, int]
) -> None:
    assert failures(made, 1, cut=100, grace=5) == bad


def test_telephones_are_read_by_call() -> None:
    rows = [
        ["d", "t", "1.5", "R", "a", "CSeq:1 INVITE", "INVITE sip:301@127.0.0.1:5 SIP/2.0"],
        ["d", "t", "1.6", "S", "a", "CSeq:1 INVITE", "SIP/2.0 200 OK"],
        ["d", "t", "2.0", "R", "b", "CSeq:1 OPTIONS", "OPTIONS sip:302@127.0.0.1:5 SIP/2.0"],
        ["d", "t", "9.0", "S", "a", "CSeq:1 BYE", "BYE sip:line@127.0.0.1:5 SIP/2.0"],
        ["d", "t", "9.5", "S", "a", "CSeq:1 BYE", "BYE sip:line@127.0.0.1:5 SIP/2.0"],
        ["d", "t", "9.9", "R", "c", "CSeq:1 INVITE", "INVITE sip:302@127.0.0.1:5 SIP/2.0"],
    ]
    assert rung(rows) == [
        Rung(extension="301", at=1.5, answered=True, over=9.0),
        Rung(extension="302", at=9.9),
    ]
