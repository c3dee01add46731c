"""The life of a scenario's versions: which changes there are, and what a rollback goes back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.domain.errors import BadInput
from ivr.domain.versions import TRANSITIONS, State, Version, before

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


def version(number: int, state: State = State.DRAFT, hours: int | None = None) -> Version:
    at = None if hours is None else AT + timedelta(hours=hours)
    return Version(
        scenario="consultation",
        number=number,
        text="",
        sha256="",
        saved_at=AT,
        saved_by="cli:anna",
        state=state,
        published_at=at,
    )


@pytest.mark.parametrize("state", State)
def test_only_the_changes_of_the_table_can_be_made(state: State) -> None:
    one, done = version(1, state), set()
    for change in (lambda: one.published(at=AT, by="cli:anna"), one.superseded, one.rolled_back):
        try:
            done.add(change().state)
        except BadInput as error:
            assert f"version 1 of consultation is {state}" in str(error)
    assert done == TRANSITIONS[state]


def test_who_published_and_when_stays_when_another_version_comes() -> None:
    one = version(1).published(at=AT, by="cli:anna").superseded()
    assert (one.published_at, one.published_by) == (AT, "cli:anna")


def test_a_rollback_goes_back_to_what_was_published_last_and_neither_draft_nor_taken_back() -> None:
    now = version(9, State.PUBLISHED, 9)
    old = [version(1, State.SUPERSEDED, 3), version(2, State.SUPERSEDED, 1)]
    others = [version(3, State.ROLLED_BACK, 5), version(4)]
    assert before([*old, *others, now]) == old[0]
    assert before([*others, now]) is None


def test_of_two_published_at_one_moment_the_later_number_counts() -> None:
    one = version(1, State.SUPERSEDED, 1)
    assert before([replace(one, number=2), one]) == replace(one, number=2)
