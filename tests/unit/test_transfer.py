"""The life of a transfer (§23): where each happening leads, and that nobody is left on hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.transfer import ON_HOLD, OVER, Deed, Happening, Stage, Target, Transfer, Way, failed_note

TARGET = Target(agency="szn", line=2, topic="Обучение")


def begun(way: Way) -> Transfer:
    return Transfer.begin(
        citizen="n-1", first="211", first_call="n-2", target=TARGET, reason="просьба заявителя", way=way
    )


def lived(way: Way, *happenings: Happening) -> tuple[Stage, Deed]:
    """Where these lead, and the last deed."""
    transfer, deed = begun(way), Deed.NOTHING
    for happening in happenings:
        transfer, deed = transfer.after(happening)
    return transfer.stage, deed


H = Happening
CASES = [
    ((Way.BLIND, H.ANSWERED), (Stage.CONNECTED, Deed.NOTHING)),
    ((Way.BLIND, H.NOBODY), (Stage.RECALLED, Deed.RING_FIRST)),
    ((Way.BLIND, H.CITIZEN_LEFT), (Stage.GONE, Deed.NOTHING)),
    ((Way.ATTENDED, H.NOBODY), (Stage.RETURNED, Deed.BRIDGE_FIRST)),
    ((Way.ATTENDED, H.FIRST_LEFT), (Stage.OFFERED, Deed.OFFER)),
    ((Way.ATTENDED, H.FIRST_LEFT, H.NOBODY), (Stage.RECALLED, Deed.RING_FIRST)),
    ((Way.ATTENDED, H.CITIZEN_LEFT), (Stage.GONE, Deed.STOP)),
    ((Way.ATTENDED, H.ANSWERED, H.CONNECT), (Stage.CONNECTED, Deed.BRIDGE_SECOND)),
    ((Way.ATTENDED, H.ANSWERED, H.FIRST_LEFT), (Stage.CONNECTED, Deed.BRIDGE_SECOND)),
    ((Way.ATTENDED, H.ANSWERED, H.SECOND_LEFT), (Stage.RETURNED, Deed.BRIDGE_FIRST)),
    ((Way.ATTENDED, H.ANSWERED, H.TAKE_BACK), (Stage.RETURNING, Deed.SEND_AWAY)),
    ((Way.ATTENDED, H.ANSWERED, H.TAKE_BACK, H.SECOND_LEFT), (Stage.RETURNED, Deed.BRIDGE_FIRST)),
    ((Way.ATTENDED, H.ANSWERED, H.TAKE_BACK, H.FIRST_LEFT), (Stage.RECALLED, Deed.RING_FIRST)),
    ((Way.ATTENDED, H.ANSWERED, H.JOIN_ALL), (Stage.CONFERENCE, Deed.ADD)),
    ((Way.ATTENDED, H.ANSWERED, H.JOIN_ALL, H.FIRST_LEFT), (Stage.CONNECTED, Deed.NOTHING)),
    ((Way.ATTENDED, H.ANSWERED, H.JOIN_ALL, H.SECOND_LEFT), (Stage.RETURNED, Deed.NOTHING)),
    ((Way.ATTENDED, H.ANSWERED, H.CITIZEN_LEFT), (Stage.GONE, Deed.NOTHING)),
]


@pytest.mark.parametrize(("story", "wanted"), CASES)
def test_each_story_ends_as_the_regulation_wants_it(
    story: tuple[object, ...], wanted: tuple[Stage, Deed]
) -> None:
    """Connected, back with the first operator, ringing the first again, or gone."""
    way, *happenings = story
    assert lived(way, *happenings) == wanted  # type: ignore[arg-type]


@given(way=st.sampled_from(Way), happenings=st.lists(st.sampled_from(Happening), max_size=12))
def test_a_citizen_on_hold_is_taken_off_hold_by_whoever_leaves(way: Way, happenings: list[Happening]) -> None:
    """Whatever has happened before: when both operators are gone, nobody is on hold any more."""
    transfer = begun(way)
    for happening in happenings:
        transfer, _ = transfer.after(happening)
    for happening in (Happening.FIRST_LEFT, Happening.SECOND_LEFT, Happening.FIRST_LEFT):
        transfer, _ = transfer.after(happening)
    assert transfer.stage not in ON_HOLD


@given(happening=st.sampled_from(Happening), stage=st.sampled_from(sorted(OVER)))
def test_what_is_over_stays_over(happening: Happening, stage: Stage) -> None:
    """An event that comes late moves nobody."""
    ended = Transfer(
        citizen="n-1", first="211", first_call="n-2", target=TARGET, reason="другая причина", stage=stage
    )
    assert ended.after(happening) == (ended, Deed.NOTHING)
    assert ended.over


def test_the_second_operator_is_remembered() -> None:
    """By the answer; later happenings name nobody."""
    transfer, _ = begun(Way.ATTENDED).after(Happening.ANSWERED, second="212")
    transfer, _ = transfer.after(Happening.CONNECT)
    assert transfer.second == "212"


def test_the_card_reads_where_to_and_why() -> None:
    """§23: the reason of the routing stands on the card."""
    assert begun(Way.BLIND).note() == "Передано: szn, 2-я линия, тема «Обучение». Причина: просьба заявителя."
    assert failed_note(begun(Way.BLIND)) == "Перевод не состоялся: szn-2, никто не ответил."
