"""Who is rung for whom, by real telephones: at once, in turn, by topic, after a cut."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ivr.domain import codes
from tests.harness.duty import TALK_SECONDS
from tests.harness.processes import wait_for
from tests.harness.world import keys, wait
from tests.line.hall import CHILDREN, HOUSING, PATIENCE, RING_SECONDS, Hall, House, open_house, rung

pytestmark = pytest.mark.line

WIDEN_SECONDS = 15
TITLE = "Субсидии на оплату жилья"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("tones")) as made:
        yield made


@pytest.fixture
def hall(house: House) -> Iterator[Hall]:
    with house.hall() as made:
        yield made


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


def test_a_talk_that_was_cut_off_goes_on_with_the_same_operator_and_level(house: House, hall: Hall) -> None:
    """§21: the level is the number's; whoever calls from another one has neither level nor operator."""
    hall.serve_everything()
    person = next(one for one in house.people if one["payments"])
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
