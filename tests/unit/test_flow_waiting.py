"""What goes with a caller into a queue, who has the place back, and announcements to everybody."""

from __future__ import annotations

import wave
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.domain.callback import Callback, Source
from ivr.domain.enquiry import ContactOutcome, Level, Outcome
from ivr.domain.errors import BadInput
from ivr.domain.queue_rules import Instead, QueueRules
from ivr.ports import LeftQueue, Member, MemberStatus, Waiting
from ivr.services import announcements
from ivr.services.audit import By
from ivr.services.whispers import Whispers
from ivr.testing import FakeChannel
from tests.unit.ringing import CHILDREN, HOUSING, WORK, Line

TOPICS = (WORK, CHILDREN, HOUSING)


def a_line() -> Line:
    return Line().knows(topics=TOPICS)


def whispering(line: Line) -> Line:
    object.__setattr__(line.desk, "whispers", Whispers(line.prompts))
    return line


def cut_off(line: Line, channel: FakeChannel, outcome: Outcome = Outcome.ABANDONED) -> None:
    """The journals tell that this caller has gone while waiting."""
    with line.store.transaction() as uow:
        uow.cards.change_contact(channel.id, outcome=ContactOutcome.ABANDONED_QUEUE)
        uow.cards.close(line.card(channel).id, outcome=outcome, at=line.clock.now())
        uow.commit()


def waits(line: Line, queue: str, *calls: str) -> None:
    for place, call in enumerate(calls, 1):
        line.desk.waits.view.waiting[queue, call] = Waiting(
            queue=queue, call=call, position=place, since=line.clock.now()
        )


def works(line: Line, queue: str, extension: str, status: MemberStatus) -> None:
    line.desk.waits.view.members[queue, extension] = Member(
        queue=queue, extension=extension, paused=False, reason="", status=status
    )


async def test_the_operator_hears_topic_level_and_number_and_sees_the_level() -> None:
    line = whispering(a_line())
    channel = await line.call("322")
    assert channel.handed_over is not None and channel.boarding is not None
    assert channel.handed_over[0] == "soc-1"
    assert channel.boarding.shown == "без кода 0001"
    assert channel.boarding.whisper is not None and channel.boarding.whisper.digits == "0001"
    assert line.prompts.said("whisper").values == {"topic": HOUSING.title, "level": "none"}
    assert "whisper" not in channel.heard


async def test_a_whisper_that_cannot_be_made_keeps_nobody_from_an_operator() -> None:
    line = whispering(a_line())
    line.prompts.failing.add("whisper")
    channel = await line.call("0")
    assert channel.boarding is not None and channel.boarding.whisper is None


async def test_place_and_wait_are_told_by_who_waits_and_who_works() -> None:
    line = a_line()
    works(line, "general", "201", MemberStatus.TALKING)
    waits(line, "general", "x", "y")
    channel = await line.call("0")
    assert channel.boarding is not None and channel.boarding.told is not None
    assert channel.boarding.told.name == "p03_w12"
    assert channel.boarding.place is None, "only who has waited before has a place of his own"


async def test_for_whom_an_operator_is_free_the_sentence_is_silent() -> None:
    line = a_line()
    works(line, "general", "201", MemberStatus.FREE)
    channel = await line.call("0")
    assert channel.boarding is not None and channel.boarding.told is not None
    assert channel.boarding.told.silent


async def test_the_rules_of_the_queue_travel_with_the_caller() -> None:
    line = a_line()
    rules = QueueRules(queue="soc-1", longest_wait_seconds=120, topics={HOUSING.title: 1}, widen_seconds=15)
    with line.store.transaction() as uow:
        uow.queues.set_rules(rules)
        uow.commit()
    boarding = (await line.call("322")).boarding
    assert boarding is not None
    assert (boarding.seconds, boarding.penalty, boarding.widen_after) == (120, 1, 15)


async def test_who_is_cut_off_and_calls_again_has_queue_topic_level_and_place_back() -> None:
    line = a_line()
    first = await line.call("322")
    with line.store.transaction() as uow:
        uow.cards.identified(line.card(first).id, snils="11223344595")
        uow.commit()
    line.clock.forward(30)
    waits(line, "soc-1", "later")
    cut_off(line, first)
    line.clock.forward(599)
    again = await line.call("0", on="menu")
    assert "queue.returned" in again.heard
    assert again.handed_over is not None and again.boarding is not None
    assert again.handed_over[0] == "soc-1"
    assert (again.boarding.place, again.boarding.shown) == (1, "с кодом 0002")
    assert again.boarding.arrived_at == first.known.arrived_at
    card = line.card(again)
    assert (card.agency, card.topics, card.level) == ("soc", (HOUSING.title,), Level.PERSONAL)
    with line.store.transaction() as uow:
        assert uow.cards.snils_of(card.id) == "11223344595"
    assert line.card(first).registration_number in card.comment
    assert ("level", "returned", "personal") in [(e.kind, e.id, e.outcome) for e in line.told(again)]
    assert "queues.return" in [row.action for row in line.audit]


async def test_whoever_arrived_before_the_first_call_stays_ahead() -> None:
    line = a_line()
    waits(line, "general", "earlier")
    line.clock.forward(10)
    first = await line.call("0")
    waits(line, "general", "earlier", "x")
    view = line.desk.waits.view.waiting
    view["general", "earlier"] = Waiting(
        queue="general", call="earlier", position=1, since=first.known.arrived_at - timedelta(seconds=10)
    )
    cut_off(line, first)
    again = await line.call("0")
    assert again.boarding is not None and again.boarding.place == 2


async def test_another_topic_is_a_choice_but_the_place_comes_along() -> None:
    line = a_line()
    cut_off(line, await line.call("322"))
    again = await line.call("31")
    assert again.handed_over is not None and again.handed_over[0] == "szn-1"
    assert again.boarding is not None and again.boarding.place == 1


@pytest.mark.parametrize("number", [None, "+79990000000"])
async def test_from_another_number_nothing_comes_back(number: str | None) -> None:
    line = a_line()
    cut_off(line, await line.call("322"))
    again = await line.call("0", number=number)
    assert "queue.returned" not in again.heard
    assert again.handed_over is not None and again.handed_over[0] == "general"


@pytest.mark.parametrize(
    ("outcome", "after"), [(Outcome.SERVED, 1), (Outcome.CALLBACK, 1), (Outcome.ABANDONED, 601)]
)
async def test_who_was_served_is_called_back_or_comes_too_late_waits_like_everybody(
    outcome: Outcome, after: float
) -> None:
    line = a_line()
    cut_off(line, await line.call("0"), outcome)
    line.clock.forward(after)
    again = await line.call("0")
    assert again.boarding is not None and again.boarding.place is None


@pytest.mark.parametrize("after", [60, 86_400])
async def test_who_has_an_open_callback_and_calls_in_has_its_place_however_late(after: float) -> None:
    """And its queue, unless another one is chosen; what was said of the earlier call is short-lived."""
    line = a_line()
    first = await line.call("322")
    cut_off(line, first, Outcome.CALLBACK)
    promised(line, first)
    line.clock.forward(after)
    waits(line, "soc-1", "later")
    again = await line.call("0", on="menu")
    assert again.handed_over is not None and again.boarding is not None
    assert (again.handed_over[0], again.boarding.place) == ("soc-1", 1)
    assert again.boarding.arrived_at == first.known.arrived_at
    assert ("queue.returned" in again.heard) == (after < 600)
    other = await line.call("31")
    assert other.handed_over is not None and other.boarding is not None
    assert (other.handed_over[0], other.boarding.place) == ("szn-1", 1)


def promised(line: Line, channel: FakeChannel) -> None:
    """A callback for this caller is open."""
    card = line.card(channel)
    assert card.number is not None
    callback = Callback(
        id="cb",
        card=card.id,
        number=card.number,
        source=Source.ABANDONED,
        queue="soc-1",
        arrived_at=channel.known.arrived_at,
        due=line.clock.now(),
    )
    with line.store.transaction() as uow:
        uow.callbacks.request(callback)
        uow.commit()


async def test_a_call_cut_off_in_the_menu_in_between_loses_no_place() -> None:
    line = a_line()
    cut_off(line, await line.call("322"))
    menu = line.ring()
    menu.caller.leaves(on="menu", after=1)
    cut_off(line, await line.answers(menu))
    again = await line.call("0")
    assert again.handed_over is not None and again.handed_over[0] == "soc-1"


# --- given back ---


async def test_an_empty_second_line_hands_over_to_the_first_in_the_same_turn() -> None:
    line = a_line()
    channel = line.waiting(queue="soc-2")
    await line.gives_back(channel, LeftQueue.NO_OPERATOR)
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-1"
    assert channel.heard == ["connecting"] and line.callbacks == []


async def test_a_rule_of_the_queue_decides_where_a_long_wait_leads() -> None:
    line = a_line()
    with line.store.transaction() as uow:
        uow.queues.set_rules(QueueRules(queue="soc-1", too_long=Instead.GENERAL))
        uow.commit()
    channel = line.waiting(queue="soc-1")
    await line.gives_back(channel, LeftQueue.TIMEOUT)
    assert channel.handed_over is not None and channel.handed_over[0] == "general"


async def test_who_waited_until_the_line_had_closed_is_promised_a_call_without_being_asked() -> None:
    line = a_line()
    channel = line.waiting()
    await line.gives_back(channel, LeftQueue.CLOSING)
    assert channel.heard[:2] == ["queue.closing", "callback.confirmed"] and channel.finished
    assert len(line.callbacks) == 1


async def test_one_pressed_without_a_number_is_waiting_on_in_the_same_place() -> None:
    line = a_line()
    channel = line.waiting(number=None)
    await line.gives_back(channel, LeftQueue.CALLBACK)
    assert channel.heard == ["queue.unknown_number", "connecting"]
    assert channel.boarding is not None and channel.boarding.place == 1


async def test_where_everybody_is_on_a_pause_a_callback_is_offered() -> None:
    line = a_line()
    channel = line.waiting("1", on="queue.callback")
    await line.gives_back(channel, LeftQueue.PAUSED)
    assert line.prompts.said("queue.callback").values["reason"] == "paused"
    assert len(line.callbacks) == 1


# --- announcements ---

BY_CLI = "cli:root"


def announce(line: Line, **what: object) -> None:
    with line.store.transaction() as uow:
        announcements.announce(uow, By(actor=BY_CLI, at=line.clock.now()), **what)  # type: ignore[arg-type]
        uow.commit()


async def test_the_next_caller_hears_the_announcement_after_the_greeting() -> None:
    line = a_line()
    announce(line, text="Сегодня мы работаем до полудня.")
    channel = line.ring()
    channel.caller.leaves(on="menu", after=1)
    await line.answers(channel)
    assert channel.heard[:3] == ["greeting", "announcement", "menu"]


async def test_one_that_is_over_or_taken_back_is_heard_no_more() -> None:
    line = a_line()
    announce(line, text="Час.", until=line.clock.now() + timedelta(hours=1))
    line.clock.forward(3600)
    assert "announcement" not in (await line.call("0", on="menu")).heard
    announce(line, text="Ещё.")
    with line.store.transaction() as uow:
        assert announcements.silence(uow, By(actor=BY_CLI, at=line.clock.now()))
        uow.commit()
    assert "announcement" not in (await line.call("0", on="menu")).heard


async def test_an_announcement_that_cannot_be_spoken_closes_no_line() -> None:
    line = a_line()
    announce(line, text="Слово.")
    line.prompts.failing.add("announcement")
    channel = await line.call("0", on="menu")
    assert channel.handed_over is not None


@pytest.mark.parametrize("text", ["", "  ", "я" * 401])
def test_a_text_that_is_none_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="1 to 400"):
        announce(a_line(), text=text)


def a_wav(path: Path, *, seconds: float = 1.0, width: int = 2) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(bytes(int(seconds * 8000) * width))
    return path.read_bytes()


def test_a_recording_is_kept_with_its_hash_and_one_that_is_no_sound_is_refused(tmp_path: Path) -> None:
    line = a_line()
    announce(line, recording=a_wav(tmp_path / "a.wav"))
    [(said, recording)] = line.store.rows.queues.said
    assert len(said.sound) == 64 and recording is not None
    for wrong in (b"RIFF", a_wav(tmp_path / "b.wav", width=1), a_wav(tmp_path / "c.wav", seconds=61)):
        with pytest.raises(BadInput):
            announce(line, recording=wrong)
