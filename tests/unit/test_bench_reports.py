"""What the benches of the flow and of the store conclude from what they have seen."""

from __future__ import annotations

from collections import Counter

import pytest

from bench import media, soak
from bench.flow import steps
from bench.flow_report import FIGURES, Measured, report, row
from bench.keypad import Sound
from bench.media import Heard, what_came
from bench.offered import Offered
from bench.report import at_least, at_most
from bench.storage import POSTGRESQL, SQLITE, targets, workers_row
from bench.storage_fill import snils_of
from bench.storage_workers import Worked
from ivr.domain.snils import is_valid
from tests.harness.scenario import HangUp, Key


def measured(engine: float = 30, asterisk: float = 40, **failures: int) -> Measured:
    return Measured(
        calls=100,
        failures=failures,
        asterisk_ms=asterisk,
        engine_ms=engine,
        argon2_ms=20,
        synthesis_ms=5,
        server_ms=None,
    )


def test_argon2_is_told_apart_from_the_flow() -> None:
    found = row("SQLite", [measured()], 5)
    assert (found["engine_ms"], found["argon2_ms"], found["share"]) == (10, 20, 0.25)
    assert (found["failed"], found["server_ms"]) == (False, None)


def test_somebody_who_was_not_identified_leaves_no_figures() -> None:
    found = row("SQLite", [measured(), measured(**{"not identified": 2})], 5)
    assert found["note"] == "failed: not identified (2)"
    assert [found[name] for name in FIGURES] == [None] * len(FIGURES)


def test_the_targets_of_the_flow_are_missed_by_one_that_failed() -> None:
    made = report({"SQLite": [measured()], "PostgreSQL": [measured(lost=50)]}, rate=5)
    assert [target.met for target in made.targets] == [True, False]


def test_a_caller_types_keys_of_its_own_and_listens() -> None:
    first, second, end = steps(2)
    assert isinstance(first, Key) and isinstance(second, Key) and isinstance(end, HangUp)
    assert (first.digit, second.digit) == ("[field1]", "[field2]")


@pytest.mark.parametrize(("settled", "failed"), [(100, False), (99, True), (101, True)])
def test_a_callback_settled_twice_or_never_is_a_failure(settled: int, failed: bool) -> None:
    found = workers_row(SQLITE, 4, 100, 50.0, Worked(settled=settled, locked=1, until=0))
    assert found["failed"] is failed
    assert (found["per_s"] is None) is failed


def test_the_slowest_page_of_each_database_is_what_counts() -> None:
    pages = [
        {"what": f"page {n}", "database": name, "cards": 10, "p99_ms": ms}
        for name, slow in ((SQLITE, 51.0), (POSTGRESQL, 9.0))
        for n, ms in enumerate((1.0, slow))
    ]
    callbacks = [
        workers_row(POSTGRESQL, n, 9, 4000.0 * n, Worked(settled=9, locked=0, until=0)) for n in (1, 2)
    ]
    assert [(t.measured, t.met) for t in targets(pages, callbacks)] == [(51, False), (9, True), (8000, True)]


def test_a_target_without_a_figure_is_missed() -> None:
    assert not at_most("x", 1, None).met and not at_least("x", 1, None).met
    assert at_most("x", 1, 1.0, " ms").wanted == "≤ 1 ms"
    assert at_least("x", 1, 1.0).met


def test_invented_numbers_of_citizens_pass_the_check() -> None:
    assert all(is_valid(snils_of(n)) for n in range(500))


def sounds(*moments: float, first: int = 65534) -> list[Sound]:
    return [Sound(at=at, loud=True, sequence=(first + place) % 2**16) for place, at in enumerate(moments)]


def test_gaps_are_told_between_neighbours_and_numbers_wrap() -> None:
    heard = what_came(sounds(1.0, 1.02, 1.05, 1.07))
    assert heard.lost == 0
    assert heard.gaps_ms == pytest.approx((20, 30, 20))


def test_a_packet_that_never_came_is_lost() -> None:
    came = sounds(1.0, 1.02, 1.04, 1.06)
    assert what_came([came[0], *came[2:]]).lost == 1
    assert what_came([]) == Heard(lost=0, gaps_ms=())


def test_listeners_are_told_together() -> None:
    found = media.row(
        50, 0, [Heard(lost=1, gaps_ms=(20, 21)), Heard(lost=0, gaps_ms=(40,))], asterisk_pct=8, engine_pct=1
    )
    assert (found["lost"], found["p50_ms"], found["most_ms"], found["failed"]) == (1, 21, 40, False)


@pytest.mark.parametrize(("bad", "heard"), [(1, [Heard(lost=0, gaps_ms=(20,))]), (0, [])])
def test_calls_that_went_wrong_or_silence_leave_no_figures(bad: int, heard: list[Heard]) -> None:
    found = media.row(50, bad, heard, asterisk_pct=8, engine_pct=1)
    assert found["failed"] is True
    assert found["p99_ms"] is None


def part(number: int, mb: float, **failures: int) -> dict[str, object]:
    offered = Offered(calls=100, failures=Counter(failures), late_ms=(100, 200), load_pct=1)
    taken = soak.Taken(mb=mb, descriptors=20, threads=5)
    return soak.row(number, offered, taken, taken) | {"left_mb": None if failures else mb}


def test_growth_is_told_from_the_end_of_the_warm_up() -> None:
    met = [target.met for target in soak.targets([part(0, 100), part(1, 300), part(2, 104)])]
    assert met == [True, True, True]
    assert [target.met for target in soak.targets([part(0, 100), part(1, 106)])] == [False, False, True]
    long = [part(0, 80), *(part(number, 100) for number in range(1, soak.RESTS + 2))]
    assert all(target.met for target in soak.targets(long)), "ten parts warm up when there are more"
    unrested = [part(0, 100), part(1, 100) | {"left_mb": None}]
    assert [target.met for target in soak.targets(unrested)] == [True, True]


def test_a_soak_in_which_calls_failed_says_nothing_of_growth() -> None:
    rows = [part(0, 100), part(1, 100, lost=5)]
    assert rows[1]["note"] == "failed: lost (5)"
    assert [target.met for target in soak.targets(rows)] == [False, False]
