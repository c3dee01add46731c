"""The patchboard's orders as variables and places of dialplans/transfer.conf, in that order."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ivr.asterisk.patchboard import AmiPatchboard
from ivr.domain.errors import Unavailable
from ivr.ports import Leg, Whisper
from ivr.testing import FakeChannel, VirtualClock
from ivr.testing.switchboard import FakeSwitchboard

CITIZEN = Leg(name="PJSIP/anonymous@line-1", call="n-1", linked="n-1", extension=None, bridge="b")
FIRST = Leg(name="PJSIP/211-00000001", call="n-2", linked="n-1", extension="211", bridge="b")
Order = Callable[[AmiPatchboard], Awaitable[None]]
ORDERS: list[tuple[Order, tuple[str, str], dict[str, str]]] = [
    (
        lambda board: board.offer(
            CITIZEN.name, queue="szn-2", whisper=Whisper(sound=Path("/p/a.wav"), digits="0")
        ),
        ("transfer", "offered"),
        {"EKC_TARGET": "szn-2", "EKC_WHISPER": "/p/a&digits/0"},
    ),
    (
        lambda board: board.bridge(CITIZEN.name, FIRST.name, extension="211", queue="soc-1"),
        ("transfer", "together"),
        {"EKC_PARTNER": FIRST.name, "MEMBERINTERFACE": "PJSIP/211", "EKC_QUEUE": "soc-1"},
    ),
    (
        lambda board: board.bridge(CITIZEN.name, FIRST.name, extension="211"),
        ("transfer", "together"),
        {"EKC_PARTNER": FIRST.name, "MEMBERINTERFACE": "PJSIP/211"},
    ),
    (
        lambda board: board.join(CITIZEN.name, FIRST.name, extension="211", queue="soc-1"),
        ("transfer", "three"),
        {"EKC_PARTNER": FIRST.name, "MEMBERINTERFACE": "PJSIP/211", "EKC_QUEUE": "soc-1"},
    ),
    (lambda board: board.ring_again(CITIZEN.name), ("operator-again", "s"), {}),
    (lambda board: board.ring_again(CITIZEN.name, at_once=True), ("operator-again", "ring"), {}),
]


def a_switchboard() -> FakeSwitchboard:
    switchboard = FakeSwitchboard()
    switchboard.legs = {leg.name: leg for leg in (CITIZEN, FIRST)}
    return switchboard


@pytest.mark.parametrize(("order", "place", "variables"), ORDERS)
async def test_the_citizen_goes_on_where_the_dialplan_does_it(
    order: Order, place: tuple[str, str], variables: dict[str, str]
) -> None:
    """The variables that the place reads are set first."""
    switchboard = a_switchboard()
    await order(AmiPatchboard(switchboard))
    (moved,) = switchboard.redirected
    assert (moved.leg, moved.context, moved.exten, moved.other) == (CITIZEN.name, *place, "")
    assert {name: value for (_, name), value in switchboard.variables.items()} == variables
    assert switchboard.commands[-1] == "redirect"


async def test_for_a_consultation_both_legs_move_at_once() -> None:
    """Else the one that is left alone in the bridge would be hung up. What the second operator hears first is
    with the leg that calls."""
    switchboard = a_switchboard()
    whisper = Whisper(sound=Path("/p/a.wav"), digits="0")
    await AmiPatchboard(switchboard).consult(FIRST.name, CITIZEN.name, queue="szn-2", whisper=whisper)
    (moved,) = switchboard.redirected
    assert (moved.leg, moved.exten, moved.other, moved.other_exten) == (
        FIRST.name,
        "consult",
        CITIZEN.name,
        "held",
    )
    assert switchboard.variables == {
        (FIRST.name, "EKC_TARGET"): "szn-2",
        (FIRST.name, "EKC_WHISPER"): "/p/a&digits/0",
        (FIRST.name, "__EKC_CITIZEN"): CITIZEN.name,
    }


async def test_every_place_is_in_the_dialplan() -> None:
    """A redirect to a place that is not there would end the call."""
    text = Path(__file__).parents[2].joinpath("dialplans", "transfer.conf").read_text()
    for context, exten in [place for _, place, _ in ORDERS] + [("transfer", "consult"), ("transfer", "held")]:
        section = text.partition(f"\n[{context}]\n")[2].partition("\n[")[0]
        assert re.search(rf"^exten => {exten},1,", section, re.MULTILINE), (context, exten)


async def test_in_the_menu_the_citizens_leg_says_so() -> None:
    """Until the menu is left."""
    switchboard = a_switchboard()
    board = AmiPatchboard(switchboard)
    await board.choosing(CITIZEN.name, on=True)
    assert switchboard.variables == {(CITIZEN.name, "EKC_TRANSFER"): "menu"}
    await board.choosing(CITIZEN.name, on=False)
    assert switchboard.variables == {(CITIZEN.name, "EKC_TRANSFER"): ""}


async def test_a_leg_that_is_gone_is_an_order_that_cannot_be_done() -> None:
    switchboard = a_switchboard()
    del switchboard.legs[CITIZEN.name]
    with pytest.raises(Unavailable):
        await AmiPatchboard(switchboard).ring_again(CITIZEN.name)


@pytest.mark.parametrize(("value", "extension"), [("PJSIP/211", "211"), ("Local/1@x", None), (None, None)])
async def test_the_operator_of_a_citizen_is_read_from_the_channel(
    value: str | None, extension: str | None
) -> None:
    """Queue() writes it there (setinterfacevar)."""
    channel = FakeChannel(VirtualClock())
    if value is not None:
        channel.variables["MEMBERINTERFACE"] = value
    assert await AmiPatchboard(a_switchboard()).operator_of(channel) == extension
