"""The harness itself: phones, scenarios, the outside world, listening and searching can be believed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import world as outside
from tests.harness.baresip import PhoneError
from tests.harness.listening import listen_for, seconds_of_sound, was_heard
from tests.harness.processes import port_is_free, wait_for
from tests.harness.sipp import HangUp, HungUpOn, Key, Scenario, dial, typed
from tests.harness.softphone import Softphone
from tests.harness.voices import say
from tests.harness.world import World, WorldCall

ALL_KEYS = "0123456789*#"


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return say(tmp_path_factory.mktemp("said") / "sentence.wav", "Единый контактный центр.")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return say(tmp_path_factory.mktemp("said") / "other.wav", "Введите номер и решётку.")


@pytest.fixture(scope="module")
def far(sentence: Path) -> Iterator[World]:
    """The side that is called."""
    with World(9, speech=sentence) as world:
        yield world


@pytest.fixture(scope="module")
def world(far: World) -> Iterator[World]:
    with World(far.port) as near:
        yield near


@pytest.fixture
def server(far: World) -> str:
    for old in far.results.iterdir():
        old.unlink()
    return f"127.0.0.1:{far.port}"


def keys_of(notes: list[outside.Note]) -> str:
    return "".join(note.detail for note in notes if note.event == "key")


def detail(notes: list[outside.Note], event: str) -> str:
    return next(note.detail for note in notes if note.event == event)


def finished(far: World, count: int = 1) -> list[list[outside.Note]]:
    def whole() -> list[list[outside.Note]]:
        calls = [notes for notes in far.incoming() if notes and notes[-1].event == "ended"]
        return calls if len(calls) >= count else []

    return wait_for(whole, 10, f"{count} calls to be written down")


# --- phones ----------------------------------------------------------------------------------------


@pytest.mark.line
def test_a_softphone_registers_and_presses_every_key(server: str, far: World) -> None:
    """All twelve keys arrive, in order, none twice."""
    with Softphone("900", password=outside.PASSWORD, server=server) as phone:
        phone.register()
        phone.dial("keys")
        phone.press_all(ALL_KEYS)
        time.sleep(0.3)
        phone.hang_up()
    assert keys_of(finished(far)[0]) == ALL_KEYS


@pytest.mark.line
def test_a_wrong_password_is_an_error_of_the_phone(server: str) -> None:
    """A phone that was refused does not wait in silence."""
    with Softphone("900", password="wrong", server=server) as phone, pytest.raises(PhoneError, match="401"):
        phone.register()


@pytest.mark.line
def test_a_number_that_is_not_there_is_an_error_of_the_phone(server: str) -> None:
    """The reason of the refusal is told."""
    with Softphone("79123456789", server=server) as phone, pytest.raises(PhoneError, match="404"):
        phone.dial("nowhere")


@pytest.mark.line
def test_a_softphone_hears_what_was_said(server: str, sentence: Path, other: Path) -> None:
    """The recording proves the sentence, and does not prove another one."""
    with Softphone("79123456789", server=server) as phone:
        phone.dial("speaks")
        time.sleep(4)
        phone.hang_up()
        (recording,) = phone.heard()
        assert seconds_of_sound(recording) > 1
        assert was_heard(sentence, recording)
        assert not was_heard(other, recording)


@pytest.mark.line
def test_closing_a_phone_leaves_no_process_no_port_and_no_file(server: str) -> None:
    """The phone can be closed in the middle of a call, and twice."""
    phone = Softphone("79123456789", server=server)
    phone.dial("speaks")
    pid, port, folder = phone._group.pid, phone.port, phone.folder
    phone.close()
    phone.close()
    assert not Path(f"/proc/{pid}").exists()
    assert port_is_free(port) and port_is_free(port + 5)
    assert not folder.exists()


# --- scenarios -------------------------------------------------------------------------------------


@pytest.mark.line
def test_a_scenario_sends_keys_headers_and_its_own_goodbye(server: str, far: World) -> None:
    """What the citizen is said to send is what arrives."""
    steps = [*typed(ALL_KEYS, first=0.2), HangUp(0.3)]
    scenario = Scenario(to="keys", steps=steps, asserted="79001112233", privacy="id")
    calls = dial(server, scenario, numbers=["79120000001", "79120000002"])
    assert [(c.status, c.ended_by, c.refused_keys) for c in calls] == [(200, "us", 0)] * 2
    heard = finished(far, 2)
    assert {detail(h, "from") for h in heard} == {"79120000001", "79120000002"}
    assert {detail(h, "asserted") for h in heard} == {"<sip:79001112233@127.0.0.1>"}
    assert {detail(h, "privacy") for h in heard} == {"id"}
    assert [keys_of(h) for h in heard] == [ALL_KEYS] * 2


@pytest.mark.line
def test_a_scenario_expects_a_refusal(server: str) -> None:
    """Only the expected answer passes."""
    assert dial(server, Scenario(to="nowhere", expects=404))[0].status == 404
    assert dial(server, Scenario(to="nowhere"))[0].status == 404


@pytest.mark.line
def test_a_scenario_tells_who_hung_up(server: str, far: World) -> None:
    """A call that the other side ends is told from one that we end, also when it was not expected."""
    far.answer_with(outside.wait(0.5), outside.hang_up())
    (expected,) = dial(server, Scenario(to="79990000000", steps=[HungUpOn(within=5)]))
    assert expected.ended_by == "them"
    assert expected.lasted == pytest.approx(1.0, abs=0.6)  # Answer() may wait 0.5 s for the first sound
    (surprised,) = dial(server, Scenario(to="79990000000", steps=[Key("1", after=3)]))
    assert surprised.ended_by == "them"


@pytest.mark.line
def test_a_caller_can_give_up_while_it_rings(server: str) -> None:
    """CANCEL ends the call with 487."""
    assert dial(server, Scenario(to="rings", cancel_after=0.2))[0].status == 487


# --- the outside world -----------------------------------------------------------------------------


@pytest.mark.line
@pytest.mark.usefixtures("server")
def test_twenty_citizens_type_at_once_and_every_key_arrives(world: World, far: World) -> None:
    """Digits of 50 ms on, 50 ms off, typed ahead as soon as answered."""
    script = [outside.keys(ALL_KEYS, gap_ms=50, on_ms=50), outside.wait(0.3), outside.hang_up()]
    numbers = [f"791200000{n:02}" for n in range(20)]
    calls = [world.call(number, to="keys", script=script) for number in numbers]
    assert [c.ended(20).ended_by for c in calls] == ["us"] * 20
    heard = finished(far, 20)
    assert [keys_of(h) for h in heard] == [ALL_KEYS] * 20
    assert {detail(h, "from") for h in heard} == set(numbers)


@pytest.mark.line
@pytest.mark.usefixtures("server")
def test_a_call_of_the_world_can_be_withheld(world: World, far: World) -> None:
    """P-Asserted-Identity and Privacy arrive as given."""
    script = [outside.wait(0.8), outside.hang_up()]
    world.call("anonymous", to="keys", script=script, asserted="79001112233", privacy="id").ended(10)
    (notes,) = finished(far)
    assert (detail(notes, "asserted"), detail(notes, "privacy")) == ("<sip:79001112233@127.0.0.1>", "id")


@pytest.mark.line
@pytest.mark.usefixtures("server")
def test_a_citizen_of_the_world_hears(world: World, sentence: Path, other: Path) -> None:
    """The recording of a world's call proves what was said."""
    call: WorldCall = world.call(
        "79123456789", to="speaks", script=[outside.wait(4), outside.hang_up()]
    ).ended(15)
    assert 3.5 < call.duration < 5.5
    assert listen_for(sentence, call.heard).heard
    assert not listen_for(other, call.heard).heard


@pytest.mark.line
@pytest.mark.usefixtures("server")
def test_a_refused_call_of_the_world_is_over_and_was_never_answered(world: World) -> None:
    """Nobody waits for a call that failed."""
    call = world.call("79123456789", to="nowhere").ended(10)
    assert not call.answered
    assert call.ended_by == "nobody"


@pytest.mark.line
def test_somebody_can_call_the_world(server: str, far: World) -> None:
    """A number of the world answers by the script it was given."""
    far.answer_with(outside.wait(0.2), outside.keys("7"), outside.hang_up())
    with Softphone("79123456789", server=server) as phone:
        phone.dial("79995554433")
        phone.wait_hung_up(10)
    assert detail(finished(far)[0], "ended").startswith("us")
