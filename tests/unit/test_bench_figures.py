"""What the measurements calculate, and when a contestant counts as failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from bench.figures import percentile, ratio, spread
from bench.wire import BUSY, BUSY_PCT, FIGURES, Cell, failure, row
from bench.wire_load import Outcome, outcome
from bench.wire_servers import ECHO, ENGINE, PANORAMISK

CELL: Cell = (ENGINE, 20)


def measured(per_second: float = 100, *, cpu_pct: float = 50, **failures: int) -> Outcome:
    return Outcome(
        commands=int(per_second),
        per_second=per_second,
        p50_us=2 * per_second,
        p99_us=4 * per_second,
        cpu_pct=cpu_pct,
        failures=failures,
    )


def row_of(mine: Sequence[Outcome], others: Sequence[Outcome]) -> dict[str, object]:
    return row(CELL, {CELL: mine, (PANORAMISK, 20): others, (ECHO, 20): others})


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([7], 0.5, 7), ([7], 0.99, 7), ([1, 2, 3, 4], 0.5, 2), (range(1, 101), 0.99, 99), ([1, 2, 3], 1.0, 3)],
)
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(
    values: Sequence[int], share: float, expected: int
) -> None:
    assert percentile(values, share) == expected


def test_the_spread_is_told_in_percent_of_the_median() -> None:
    assert spread([90, 100, 130]) == 40
    assert spread([5]) == 0


def test_a_ratio_is_made_within_each_round() -> None:
    """The medians alone would say 20 to 20."""
    assert ratio([10, 20, 60], [20, 10, 30]) == 2
    assert ratio([10, 20], []) is None


def test_a_load_tells_rate_round_trips_and_its_own_cpu() -> None:
    result = outcome([3000, 1000, 2000, 9000], took=2.0, worked=0.5, failures=Counter(closed=0))
    assert (result.commands, result.per_second, result.cpu_pct) == (4, 2.0, 25.0)
    assert (result.p50_us, result.p99_us) == (2.0, 9.0)
    assert result.failures == {}


def test_a_load_that_never_began_has_no_command() -> None:
    result = outcome([], took=0.0, worked=0.0, failures=Counter(refused=2))
    assert (result.commands, result.per_second, result.failures) == (0, 0.0, {"refused": 2})


def test_a_row_has_medians_and_ratios() -> None:
    found = row_of([measured(100), measured(300), measured(200)], [measured(50), measured(100), measured(50)])
    assert (found["what"], found["connections"]) == CELL
    assert (found["per_second"], found["spread_pct"]) == (200, 100)
    assert (found["p50_us"], found["p99_us"]) == (400, 800)
    assert found["to_panoramisk"] == found["p50_to_echo"] == found["p99_to_echo"] == 3
    assert (found["failed"], found["note"]) == (False, "")


def test_one_failed_connection_of_one_round_leaves_no_figures_but_the_reason() -> None:
    found = row_of([measured(), measured(closed=1), measured(closed=2, refused=1)], [measured()] * 3)
    assert found["failed"] is True
    assert found["note"] == "failed: closed (3), refused (1)"
    assert [found[name] for name in FIGURES] == [None] * len(FIGURES)


def test_who_says_nothing_at_all_has_failed() -> None:
    assert failure([measured(), measured(0)]) == "no command at all"
    assert failure([measured()]) == ""


def test_nothing_is_compared_with_one_that_failed() -> None:
    found = row_of([measured()], [measured(closed=1)])
    assert found["to_panoramisk"] is found["p50_to_echo"] is found["p99_to_echo"] is None
    assert found["per_second"] == 100


def test_rows_of_good_and_failed_contestants_have_the_same_columns() -> None:
    good, bad = row_of([measured()], [measured()]), row_of([measured(closed=1)], [measured()])
    assert tuple(good) == tuple(bad)


@pytest.mark.parametrize(("cpu_pct", "note"), [(BUSY_PCT - 1, ""), (BUSY_PCT, BUSY)])
def test_a_load_that_may_be_what_is_slow_is_told(cpu_pct: float, note: str) -> None:
    assert row_of([measured(cpu_pct=cpu_pct)], [measured()])["note"] == note
