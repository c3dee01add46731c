"""How silence after a digit is found among packets, and what the bench concludes from it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.calls_report import ENGINE, PLAIN
from bench.deadair_report import CODES, HALF, IDLE, Outcomes, Probed, report, row
from bench.keypad import NoSilence, Sound, dead_air, is_loud

SILENT, TONE = b"\xd5" * 160, b"\xd5" * 100 + b"\xaa" + b"\xd5" * 59
"""A-law: digital silence, and one loud sample in it."""


def packets(*loud: bool) -> Sequence[Sound]:
    """From the moment 100 on, one every 20 ms."""
    return [Sound(at=100 + 0.02 * place, loud=one, sequence=place) for place, one in enumerate(loud)]


@pytest.mark.parametrize(("payload", "loud"), [(SILENT, False), (TONE, True), (b"\x55\xd4" * 80, False)])
def test_one_sample_that_is_no_silence_makes_a_packet_loud(payload: bytes, loud: bool) -> None:
    assert is_loud(payload) is loud


def test_dead_air_ends_with_the_first_loud_packet_after_the_digit() -> None:
    heard = packets(False, False, False, False, True, True)
    assert dead_air(heard, 100.03) == pytest.approx(0.05)


def test_what_was_heard_long_before_does_not_count() -> None:
    assert dead_air(packets(True, *[False] * 8, True), 100.15) == pytest.approx(0.03)


def test_nothing_but_silence_is_no_dead_air_but_none_at_all() -> None:
    assert dead_air(packets(False, False), 100) is None


def test_a_prompt_that_still_goes_on_says_nothing() -> None:
    with pytest.raises(NoSilence):
        dead_air(packets(True, False, False, True), 100.05)


def outcomes(engine: Probed, plain: Probed) -> Outcomes:
    return {
        (PLAIN, IDLE): [plain],
        (ENGINE, IDLE): [engine],
        (PLAIN, HALF): [plain],
        (ENGINE, HALF): [engine],
    }


def test_the_engine_is_told_beside_the_plain_dialplan() -> None:
    found = outcomes(Probed(seconds=(0.01, 0.02, 0.05)), Probed(seconds=(0.01, 0.02)))
    assert row(ENGINE, IDLE, found) == {
        "what": ENGINE,
        "load": IDLE,
        "digits": 3,
        "p50_ms": 20,
        "p99_ms": 50,
        "most_ms": 50,
        "to_plain": 30,
        "failed": False,
        "note": "",
    }
    assert [target.met for target in report(found, half=50).targets] == [True, True]


def test_one_digit_without_a_prompt_leaves_no_figures_but_the_reason() -> None:
    bad = Probed(seconds=(0.01,), failures={"no prompt after a digit": 1})
    found = row(ENGINE, IDLE, outcomes(bad, Probed(seconds=(0.01,))))
    assert (found["p99_ms"], found["failed"]) == (None, True)
    assert found["note"] == "failed: no prompt after a digit (1)"


def test_nothing_is_compared_with_a_dialplan_that_failed() -> None:
    found = outcomes(Probed(seconds=(0.01,)), Probed(seconds=()))
    assert row(ENGINE, IDLE, found)["to_plain"] is None
    assert [target.met for target in report(found, half=50).targets] == [False, False]


def test_rows_have_the_same_columns() -> None:
    found = outcomes(Probed(seconds=(0.01,)), Probed(seconds=()))
    found[ENGINE, CODES] = [Probed(seconds=(), failures={"not identified": 1})]
    assert len({tuple(r) for r in report(found, half=50).tables[0].rows}) == 1
