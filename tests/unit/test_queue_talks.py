"""A talk of which CEL has lost the end, or everything, lasted as long as the journal of queues says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from ivr.domain.enquiry import ContactOutcome as Outcome
from ivr.ports import JournalLine
from ivr.services.call_story import talks
from ivr.services.journal_lines import CEL, QUEUE_LOG
from ivr.services.queue_talks import mended
from ivr.services.settlement import Facts, Rules, Settlement, settle
from tests.journals import story

TALKS = ["answered", "answered_operator_ends", "missed_ring_then_answered", "too_short"]


def decide(call: str, of: Sequence[JournalLine], *, restarted: bool = False) -> Settlement:
    over = [of[-1].at + timedelta(seconds=1)] if restarted else []
    found = settle(call, of, Facts(recorded=Outcome.ABANDONED_IVR, restarts=over), Rules())
    assert found is not None
    return found


def without_the_end(of: Sequence[JournalLine]) -> list[JournalLine]:
    """As a disk that became full in the talk leaves them: CEL ends with the last BRIDGE_ENTER."""
    last = max(n for n, line in enumerate(of) if line.event == "BRIDGE_ENTER")
    return [line for n, line in enumerate(of) if line.journal == QUEUE_LOG or n <= last]


def without_bridges(of: Sequence[JournalLine]) -> list[JournalLine]:
    return [line for line in of if line.journal != CEL or not line.event.startswith("BRIDGE")]


@pytest.mark.parametrize("name", TALKS)
def test_where_cel_is_whole_the_queue_adds_nothing(name: str) -> None:
    call, of = story(name)
    assert mended(talks(call, of), of) == talks(call, of)


@pytest.mark.parametrize("name", TALKS[:3])
def test_a_talk_whose_end_cel_has_lost_is_served_and_as_long_as_the_queue_says(name: str) -> None:
    call, of = story(name)
    whole, cut = decide(call, of), decide(call, without_the_end(of), restarted=True)
    assert cut.outcome is Outcome.SERVED and cut.operator == whole.operator
    assert abs(cut.talking_s - whole.talking_s) <= 1
    assert cut.talked_until is not None and whole.talked_until is not None
    assert abs(cut.talked_until - whole.talked_until) <= timedelta(seconds=1)


@pytest.mark.parametrize("name", TALKS[:3])
def test_a_talk_of_which_cel_has_no_bridge_is_served_too(name: str) -> None:
    call, of = story(name)
    found = decide(call, without_bridges(of))
    assert found.outcome is Outcome.SERVED and found.operator == "201"


def test_a_short_talk_whose_end_is_lost_is_no_service() -> None:
    call, of = story("too_short")
    assert decide(call, without_the_end(of), restarted=True).outcome is Outcome.LOST_BY_CRASH


@pytest.mark.parametrize("name", ["answered", "missed_ring_then_answered"])
def test_a_talk_whose_end_neither_journal_has_is_no_proof_of_service(name: str) -> None:
    call, of = story(name)
    cut = [line for line in without_the_end(of) if not line.event.startswith("COMPLETE")]
    assert decide(call, cut, restarted=True).outcome is Outcome.LOST_BY_CRASH
