"""Who is rung for whom, by real telephones: at once, in turn, by topic, after a cut, to the end of the day.

One system with two operators of soc, 201 and 202; each test puts on duty whom it needs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from ivr.domain import codes
from ivr.domain.callback import Source
from tests.harness.commands import ZONE
from tests.harness.duty import TALK_SECONDS, Duty
from tests.harness.processes import wait_for
from tests.harness.records import Lived
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.voices import tones
from tests.harness.world import World, WorldCall, keys, wait
from tests.line.conftest import e164, new_number

pytestmark = pytest.mark.line

PATIENCE = 60.0
RING_SECONDS, WIDEN_SECONDS = 4, 15
CLOSING_SECONDS = 62
"""More than a minute: a calendar knows no seconds."""
HOUSING, CHILDREN = "322", "321"
"""Keys of two topics of soc's first line."""
SENTENCE_SECONDS = 20.0
"""What a waiting caller is told of place and wait."""
QUEUES = ("general", "soc-1", "szn-1", "sfr-1")
TITLE = "Субсидии на оплату жилья"
SHORT = ("greeting", "menu", "topics", "connecting", "whisper", "snils", "code", "checking", "queue.resumed")
"""Prompts that are not what these tests are about."""


class Hall:
    """The system, its operators, and the citizens by name."""

    def __init__(self, system: System, world: World, duty: Duty) -> None:
        self.system, self.world, self.duty = system, world, duty
        self._calls: dict[str, tuple[str, WorldCall, str]] = {}
        self._moved: set[str] = set()

    def comes(self, name: str, *script: str, number: str = "") -> str:
        """A citizen calls; the call."""
        number = number or new_number()
        before = sum(a.number.endswith(number[-10:]) for a in self.system.arrivals())
        citizen = self.world.call(number, script=[wait(0.7), *script])
        call = self.system.wait_call(number, PATIENCE, after=before)
        self._calls[name] = number, citizen, call
        return call

    def waits(self, name: str, *script: str, number: str = "", queue: str = "soc-1") -> str:
        """The same, until the citizen is in the queue."""
        call = self.comes(name, *(script or (keys(HOUSING),)), number=number)
        self.reached(name, f"queue {queue} entered")
        return call

    def reached(self, name: str, step: str, timeout: float = PATIENCE) -> float:
        """When this citizen lived through it, seconds since the epoch."""
        return self.system.wait_step(self._calls[name][2], step, timeout).at.timestamp()

    def number(self, name: str) -> str:
        return self._calls[name][0]

    def citizen(self, name: str) -> WorldCall:
        return self._calls[name][1]

    def leaves(self, name: str) -> Lived:
        """The citizen puts the receiver down, if that is not done yet."""
        if not self.citizen(name).over:
            self.world.hang_up(self.citizen(name))
        return self.lived(name)

    def lived(self, name: str) -> Lived:
        self.citizen(name).ended(PATIENCE)
        return self.system.wait_lived(self._calls[name][2], PATIENCE)

    def talks_with(self, name: str) -> str:
        """The extension of this citizen's operator, as soon as they talk."""
        self.reached(name, "bridge ")
        events = self.system.records.trace(self._calls[name][2])
        return next(event.id for event in events if event.kind == "bridge")

    def doing(self, extension: str) -> str:
        """What the board says of this operator."""
        rows = self.system.ekc("board", "--json").json["operators"]
        return str(next(row["doing"] for row in rows if row["extension"] == extension))

    def serve_everything(self) -> None:
        """Both operators answer, for whatever agency."""
        for extension in ("201", "202"):
            self.moved(extension, *QUEUES)
            self.duty.log_in(extension)

    def moved(self, extension: str, *queues: str) -> None:
        """The operator serves these, until the test ends."""
        self._moved.add(extension)
        named = [word for queue in queues for word in ("--queue", queue)]
        self.system.ekc("operators", "move", extension, *named)

    def close(self) -> None:
        for _, citizen, _ in self._calls.values():
            if citizen.answered and not citizen.over:
                self.world.hang_up(citizen)
        self.duty.close()
        for extension in self._moved:
            self.system.ekc("operators", "move", extension, "--line", "1")


@pytest.fixture(scope="module")
def people() -> list[Any]:
    return []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, people: list[Any]) -> Iterator[System]:
    own = tones(tmp_path_factory.mktemp("tones"), SHORT, seconds=0.3)
    tones(own, ["queue.position"], seconds=SENTENCE_SECONDS)
    limits: dict[str, Any] = {
        "ring_seconds": RING_SECONDS,
        "wrapup_seconds": 1,
        "qualify_seconds": 3,
        "missed_rings": 20,
        "announce_change_seconds": 2,
        "closing_seconds": CLOSING_SECONDS,
        "identification__readback_seconds": 1,
    }
    with System(prompts_dir=own, **limits) as system:
        system.open_today()
        people += system.demo_data(seed=1)
        yield system


@pytest.fixture(scope="module")
def staff(site: System) -> Iterator[tuple[World, Duty]]:
    with World(site.line_port) as world:
        duty = Duty(site)
        for extension in ("201", "202"):
            duty.hire(extension, agency="soc")
        yield world, duty
        duty.abandon()


@pytest.fixture
def hall(site: System, staff: tuple[World, Duty]) -> Iterator[Hall]:
    made = Hall(site, *staff)
    yield made
    made.close()


def rung(phone: Softphone, since: int = 0) -> list[float]:
    """When it was rung (time.monotonic), from that place of its events on."""
    return [event.at for event in phone.events[since:] if event.type == "CALL_INCOMING"]


# --- at once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [1.0, 6.0])
def test_an_operator_who_is_free_is_rung_while_the_next_caller_is_told_place_and_wait(
    hall: Hall, moment: float
) -> None:
    """Nobody waits for the sentence's end. (A second as a rule; three on a busy machine.)"""
    phone = hall.duty.log_in("201", answers=False)
    hall.duty.dial("201", "*131")
    hall.waits("told")
    hall.reached("told", "queue soc-1 announced")
    time.sleep(moment)
    mark = phone.mark()
    phone.dial("*14")
    wait_for(lambda: rung(phone, mark), PATIENCE, "201 to ring", step=0.05)
    free = next(event.at for event in phone.events[mark:] if event.type == "CALL_CLOSED")
    assert rung(phone, mark)[0] - free < 3.0
    assert hall.leaves("told").ended[1] == "abandoned_queue"


# --- in turn -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("queue", "typed"), [("soc-1", HOUSING), ("general", "0")])
def test_after_a_ring_in_vain_another_operator_is_rung(hall: Hall, queue: str, typed: str) -> None:
    phones = [hall.duty.log_in(extension, answers=False) for extension in ("201", "202")]
    hall.waits("patient", keys(typed), queue=queue)
    wait_for(lambda: all(map(rung, phones)), PATIENCE, "both to be rung", step=0.1)
    assert [len(rung(phone)) for phone in phones] == [1, 1]
    assert abs(rung(phones[0])[0] - rung(phones[1])[0]) < RING_SECONDS + 3
    hall.leaves("patient")


# --- by topic ----------------------------------------------------------------------------------------


@pytest.fixture
def skilled(hall: Hall) -> Iterator[Hall]:
    """202 has a penalty of 1 in soc-1, and the topic rings at first only who has none."""
    ekc = hall.system.ekc
    hall.moved("202", "general", "soc-1:1")
    ekc("queues", "set", "soc-1", "--topic", TITLE, "--penalty", "0", "--widen", str(WIDEN_SECONDS))
    yield hall
    ekc("queues", "set", "soc-1", "--topic", TITLE, "--everybody")


def test_a_topic_rings_skilled_operators_first_and_everybody_after_a_while(skilled: Hall) -> None:
    """The skilled one talks, the other one is free."""
    skilled.duty.log_in("201")
    second = skilled.duty.log_in("202", answers=False)
    skilled.waits("talks")
    skilled.talks_with("talks")
    skilled.waits("housing")
    entered = time.monotonic()
    wait_for(lambda: rung(second), PATIENCE, "202 to be rung", step=0.1)
    assert WIDEN_SECONDS - 5 < rung(second)[0] - entered < WIDEN_SECONDS + 5
    skilled.leaves("housing")
    skilled.leaves("talks")


def test_another_topic_does_not_wait_behind_one_that_wants_a_skilled_operator(skilled: Hall) -> None:
    """The skilled one talks; whoever may have the other one, who is free, is served."""
    skilled.system.ekc("queues", "set", "soc-1", "--widen", "120")
    skilled.duty.log_in("201")
    skilled.duty.log_in("202")
    skilled.waits("talks")
    skilled.talks_with("talks")
    skilled.waits("housing")
    skilled.comes("children", keys(CHILDREN))
    assert skilled.talks_with("children") == "202"
    for name in ("children", "housing", "talks"):
        skilled.leaves(name)


# --- after a cut -------------------------------------------------------------------------------------


def test_a_talk_that_was_cut_off_goes_on_with_the_same_operator_and_level(
    hall: Hall, people: list[Any]
) -> None:
    """§21: the level is the number's; whoever calls from another one has neither level nor operator."""
    hall.serve_everything()
    person = next(one for one in people if one["payments"])
    code = codes.keypad(person["secret_code"]) + "#"
    number = person["phone"].lstrip("+")
    hall.comes("first", keys("2"), keys(person["snils"]), wait(2), keys(code), number=number)
    hall.reached("first", "level identify personal")
    hall.world.press(hall.citizen("first"), "0")
    operator = hall.talks_with("first")
    time.sleep(TALK_SECONDS)
    first = hall.leaves("first")
    assert first.ended[1] == "served"
    hall.comes("again", wait(1), keys("0"), number=number)
    hall.comes("stranger", wait(1), keys("0"))
    assert hall.talks_with("again") == operator
    assert hall.talks_with("stranger") != operator
    again, stranger = hall.leaves("again"), hall.leaves("stranger")
    assert (again.card["level"], stranger.card["level"]) == ("personal", "none")
    assert again.card["agency"] == first.card["agency"]
    assert first.card["registration_number"] in again.card["comment"]
    shown = [event.display for event in hall.duty.phones[operator].events if number[-10:] in event.peer]
    assert shown[-1] == f"с кодом {again.card['registration_number'][-4:]}"


# --- a telephone that is gone ------------------------------------------------------------------------


def test_the_board_shows_who_is_logged_in_while_the_telephone_is_away(hall: Hall) -> None:
    hall.duty.log_in("201")
    hall.duty.phones.pop("201").die_and_close()
    hall.system.wait_for(lambda: hall.doing("201") == "away", PATIENCE, "201 to be away", step=1)
    board = hall.system.ekc("board", "--json").json
    lines = {line["queue"]: line["operators"] for line in board["queues"]}
    assert lines["soc-1"] == {"away": 1}
    hall.duty.phone("201")
    hall.system.wait_for(lambda: hall.doing("201") == "ready", PATIENCE, "201 to be there", step=1)


# --- the end of the day ------------------------------------------------------------------------------


def test_who_waits_when_the_line_closes_is_served_for_a_while_and_then_called_back_first(hall: Hall) -> None:
    """§12: the callback is due at the next opening, in the order of arrival."""
    phone = hall.duty.log_in("201", answers=False)
    hall.duty.dial("201", "*131")
    hall.waits("served")
    hall.waits("late")
    tomorrow = (datetime.now(ZONE) + timedelta(days=1)).date()
    hall.system.ekc("calendar", "set", tomorrow.isoformat(), "--open", "10:15-11:00")
    if (now := datetime.now(ZONE)).second > 40:
        time.sleep(60 - now.second)
        now = datetime.now(ZONE)
    hall.system.ekc("calendar", "set", now.date().isoformat(), "--open", f"00:00-{now:%H:%M}")
    try:
        phone.dial("*14")
        phone.answer(PATIENCE)
        hall.reached("served", "bridge 201 joined")
        hall.reached("late", "queue soc-1 left:closing", 90)
        late = hall.lived("late")
        assert late.of("prompt", "queue.closing") == ["played"]
        [callback] = hall.system.records.callbacks(late.card["id"])
        assert (callback.source, callback.number) == (Source.QUEUE, e164(hall.number("late")))
        assert callback.due.astimezone(ZONE) == datetime.fromisoformat(f"{tomorrow}T10:15").replace(
            tzinfo=ZONE
        )
        assert callback.arrived_at == late.contact.at.replace(microsecond=0)
        hall.leaves("served")
    finally:
        hall.system.ekc("calendar", "clear", tomorrow.isoformat())
        hall.system.open_today()
