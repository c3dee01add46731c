"""Operators and those who wait for them: on duty and off, missed and refused calls, no endless music."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness.duty import TALK_SECONDS, Duty
from tests.harness.processes import wait_for
from tests.harness.records import Lived
from tests.harness.scenario import LINE
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.voices import tones
from tests.harness.world import World, WorldCall, keys, wait
from tests.line.conftest import e164, new_number

pytestmark = pytest.mark.line

QUEUE_SECONDS, RING_SECONDS = 15, 3
PATIENCE = 60.0
"""Seconds for what should take ten or twenty."""
PROMPTS = (
    "greeting",
    "menu",
    "connecting",
    "queue.callback",
    "queue.position",
    "queue.stay",
    "queue.wait",
    "whisper",
    "callback.confirmed",
    "callback.unknown_number",
    "goodbye",
    "operator.logged_in",
    "operator.logged_out",
)
"""Said by short tones here: while a caller is told something in the queue, no operator is rung."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A site with short limits, one place in each queue, and short tones for prompts."""
    own = tones(tmp_path_factory.mktemp("tones"), PROMPTS)
    limits = {"queue_seconds": QUEUE_SECONDS, "ring_seconds": RING_SECONDS, "queue_length": 1}
    with System(wrapup_seconds=1, prompts_dir=own, **limits) as system:
        system.open_today()
        yield system


@pytest.fixture(scope="module")
def town(small: System) -> Iterator[World]:
    with World(small.line_port) as world:
        yield world


@pytest.fixture(scope="module")
def staff(small: System) -> Iterator[Duty]:
    staff = Duty(small)
    small.demo_data()
    staff.hire("201", agency="soc")
    yield staff
    staff.abandon()


@pytest.fixture(scope="module")
def clerk(staff: Duty) -> Iterator[Softphone]:
    """The telephone of 201, on duty for the rest of this file; it rings until a test answers."""
    yield staff.log_in("201", answers=False)
    staff.close()


class Caller:
    """A citizen who wants an operator."""

    def __init__(self, system: System, world: World, *script: str) -> None:
        self.system, self.number = system, new_number()
        self.citizen: WorldCall = world.call(self.number, script=[wait(0.5), keys("0"), *script])
        self.call = system.wait_call(self.number, PATIENCE)

    def waits_for(self, step: str, *, count: int = 1) -> None:
        self.system.wait_step(self.call, step, PATIENCE, count=count)

    def lived(self) -> Lived:
        self.citizen.ended(PATIENCE)
        return self.system.wait_lived(self.call, PATIENCE)


def callbacks_of(system: System, card: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Number, source and state of each."""
    rows = system.records.callbacks(card["id"])
    return [(row.number, row.source.value, row.state.value) for row in rows]


# --- nobody there ------------------------------------------------------------------------------------


def test_where_no_operator_is_a_callback_is_offered_and_stored(small: System, town: World) -> None:
    """Never endless music: 1 accepts, and the card says callback."""
    caller = Caller(small, town, wait(4), keys("1"))
    lived = caller.lived()
    assert lived.of("ask", "queue.callback") == ["answered"]
    assert [row[:2] for row in callbacks_of(small, lived.card)] == [(e164(caller.number), "queue")]
    assert lived.card["outcome"] == "callback"
    assert lived.of("prompt", "callback.confirmed") == ["played"]
    assert caller.citizen.ended_by == "them"


def test_whoever_refuses_the_callback_is_let_go(small: System, town: World) -> None:
    """Nothing is stored, for nothing was wanted."""
    lived = Caller(small, town, wait(4), keys("5")).lived()
    assert lived.ended == ("abandoned", "abandoned_queue")
    assert callbacks_of(small, lived.card) == []


def test_a_caller_without_a_number_is_told_that_nobody_can_call_back(
    small: System, phones: Callable[..., Softphone]
) -> None:
    """An anonymous softphone: 0, then 1 when the callback is offered."""
    before = len(small.arrivals())
    phone = phones("79510000000", server=small.line, anonymous=True)
    phone.dial(LINE)
    call = small.wait_for(lambda: small.arrivals()[before:], 15, "the call to arrive", step=0.05)[0].call
    phone.press("0")
    small.wait_step(call, "prompt queue.callback played", PATIENCE)
    phone.press("1")
    phone.wait_hung_up(PATIENCE)
    lived = small.wait_lived(call)
    assert lived.card["number"] is None
    assert lived.of("prompt", "callback.unknown_number") == ["played"]
    assert callbacks_of(small, lived.card) == []
    assert lived.card["outcome"] == "abandoned"


# --- an operator on duty -----------------------------------------------------------------------------


def test_an_operator_logs_in_is_rung_talks_and_logs_out(small: System, town: World, staff: Duty) -> None:
    """*11 and *12; the list of operators tells the state, and afterwards nobody is there again."""
    staff.phone("201")
    assert staff.state("201") == "logged_out"
    staff.dial("201", "*11")
    assert staff.state("201") == "ready"
    caller = Caller(small, town)
    staff.talk(lambda: caller.citizen.over, timeout=PATIENCE)
    lived = caller.lived()
    assert (lived.ended, lived.card["operator"]) == (("served", "served"), "201")
    staff.log_out("201")
    assert staff.state("201") == "logged_out"
    nobody = Caller(small, town, wait(4), keys("5")).lived()
    assert nobody.of("ask", "queue.callback") == ["answered"]


def serve(staff: Duty, clerk: Softphone, caller: Caller, *, seconds: float = TALK_SECONDS) -> Lived:
    """The clerk answers and hangs up after so many seconds with the citizen."""
    clerk.answer(PATIENCE)
    staff.talk(lambda: caller.citizen.over, timeout=PATIENCE, seconds=seconds)
    return caller.lived()


def test_a_talk_of_less_than_five_seconds_is_no_service(
    small: System, town: World, staff: Duty, clerk: Softphone
) -> None:
    """interface.md: too_short; the citizen is called back unasked."""
    lived = serve(staff, clerk, Caller(small, town), seconds=1.5)
    assert lived.ended == ("callback", "too_short")
    assert lived.contact.talking_s < 5


def test_talks_are_measured_in_seconds(small: System, town: World, staff: Duty, clerk: Softphone) -> None:
    """§13: what the operator's telephone has talked is what the card says, to a second or two."""
    lived = serve(staff, clerk, Caller(small, town), seconds=TALK_SECONDS + 3)
    assert abs(lived.contact.talking_s - (TALK_SECONDS + 3)) <= 2


def test_a_caller_whose_operator_does_not_answer_waits_on(
    small: System, town: World, staff: Duty, clerk: Softphone
) -> None:
    """Rung for the ring time, then rung again; taken at the second try."""
    mark = clerk.mark()
    caller = Caller(small, town)
    rings(clerk, 2, since=mark)
    lived = serve(staff, clerk, caller)
    assert lived.ended == ("served", "served")
    assert lived.of("queue", "general").count("entered") == 1
    assert lived.contact.waiting_s >= RING_SECONDS


def test_a_caller_whose_operator_refuses_waits_on(
    small: System, town: World, staff: Duty, clerk: Softphone
) -> None:
    """486, and the same telephone is rung again."""
    mark = clerk.mark()
    caller = Caller(small, town)
    rings(clerk, 1, since=mark)
    clerk.hang_up()
    rings(clerk, 2, since=mark)
    assert serve(staff, clerk, caller).ended == ("served", "served")


def rings(phone: Softphone, times: int, *, since: int) -> None:
    """Wait until it has been rung so often since that place of its events."""

    def rung() -> bool:
        return sum(event.type == "CALL_INCOMING" for event in phone.events[since:]) >= times

    wait_for(rung, PATIENCE, f"phone {phone.user} to ring, time {times}")


@pytest.mark.usefixtures("clerk")
def test_a_caller_who_hangs_up_in_the_queue_has_abandoned_it(small: System, town: World) -> None:
    """The card tells so, that nobody talked, and that the citizen is called back unasked."""
    caller = Caller(small, town)
    caller.waits_for("queue general entered")
    town.hang_up(caller.citizen)
    lived = caller.lived()
    assert lived.ended == ("callback", "abandoned_queue")
    assert [source for _, source, _ in callbacks_of(small, lived.card)] == ["abandoned"]
    assert "left:abandoned" in lived.of("queue", "general")
    assert lived.contact.talking_s == 0


@pytest.mark.usefixtures("clerk")
def test_after_a_long_wait_a_callback_is_offered_and_waiting_on_is_possible(
    small: System, town: World
) -> None:
    """queue_seconds: another key than 1 goes on waiting, and the next time 1 accepts."""
    caller = Caller(small, town)
    caller.waits_for("prompt queue.callback played")
    town.press(caller.citizen, "5")
    caller.waits_for("queue general entered", count=2)
    caller.waits_for("prompt queue.callback played", count=2)
    town.press(caller.citizen, "1")
    lived = caller.lived()
    assert lived.card["outcome"] == "callback"
    assert [row[:2] for row in callbacks_of(small, lived.card)] == [(e164(caller.number), "queue")]
    assert lived.contact.waiting_s >= 2 * QUEUE_SECONDS - 2
    assert lived.of("queue", "general").count("left:timeout") == 2


@pytest.mark.usefixtures("clerk")
def test_a_full_queue_offers_a_callback_at_once(small: System, town: World) -> None:
    """One waits, the second finds no place (queue_length = 1)."""
    first = Caller(small, town)
    first.waits_for("queue general entered")
    second = Caller(small, town)
    second.waits_for("prompt queue.callback played")
    town.press(second.citizen, "1")
    lived = second.lived()
    assert lived.card["outcome"] == "callback"
    assert "entered" not in lived.of("queue", "general")
    town.hang_up(first.citizen)
    assert first.lived().ended == ("callback", "abandoned_queue")
