"""Key 3 with a published scenario: questions, look-ups, hand-over, and which version a call plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ivr.domain.enquiry import ContactOutcome
from ivr.scenarios import shipped
from ivr.services import scenarios as service
from ivr.services.audit import By
from ivr.services.demo_words import AGENCIES
from ivr.testing import FakeChannel
from tests.unit.ringing import PAIR, RECEIPT, WORK, Line

SMALL = """\
scenario: consultation
title: Субсидии
start: topic
operator: anybody
states:
  topic:
    ask: Субсидия — один или «субсидия». Выплаты — два.
    again: Скажите «субсидия».
    choices:
      - {key: 1, phrases: [субсидия], to: subsidy, means: Субсидии}
      - {key: 2, phrases: [выплаты], to: mine, means: Выплаты}
      - {key: 3, phrases: [уведомления], to: news, means: Уведомления}
    unclear: anybody
  subsidy:
    answer: Подайте заявление на портале.
    to: more
  more:
    ask: Ваше заявление — один. Закончить — три.
    by_keys: Заявление — один, закончить — три.
    again: Скажите «заявление».
    choices:
      - {key: 1, phrases: [заявление], to: application, means: О своём заявлении}
      - {key: 3, phrases: [закончить], to: bye}
    unclear: soc
    operator: soc
  application:
    look_up: applications
    level: application
    found: more
    nothing: unknown
    refused: soc
    down: soc
    operator: soc
  unknown:
    answer: Такого заявления нет.
    to: soc
  mine:
    look_up: payments
    level: personal
    found: more
    nothing: unknown
    refused: soc
    down: soc
  news:
    look_up: notices
    level: personal
    found: mine
    nothing: mine
    refused: anybody
    down: anybody
  soc:
    hand_over: Соединяю с соцзащитой.
    agency: soc
    line: 2
    topic: Субсидии
  anybody:
    hand_over: Соединяю с оператором.
  bye:
    end: До свидания!
"""


def publish(line: Line, text: str = SMALL) -> int:
    """The version's number."""
    with line.store.transaction() as uow:
        by = By(actor="cli:anna", at=line.clock.now())
        version = service.keep(uow, by, "consultation", text)
        service.publish(uow, by, version)
        uow.commit()
    return version.number


def a_line(text: str = SMALL, **settings: Any) -> Line:
    line = Line(**settings).knows(topics=[WORK], applications=[RECEIPT])
    publish(line, text)
    return line


def heard(channel: FakeChannel) -> Sequence[str]:
    """Ids of the scenario's own prompts, without what they have in common."""
    prefix = "scenario.consultation."
    return [id_.removeprefix(prefix) for id_ in channel.heard if id_.startswith(prefix)]


async def test_an_answer_is_told_and_the_last_words_end_the_call_as_served_by_the_machine() -> None:
    line = a_line()
    channel = line.ring("3", on="menu")
    channel.caller.presses("1", on="scenario.consultation.topic", after=1)
    channel.caller.presses("3", on="scenario.consultation.more", after=1)
    await line.answers(channel)
    assert heard(channel) == ["topic", "subsidy", "more", "bye"]
    assert channel.finished
    assert line.outcome(channel) is ContactOutcome.SELF_SERVICE
    assert (
        line.prompts.said("scenario.consultation.subsidy").values["text"] == "Подайте заявление на портале."
    )


async def test_a_question_worded_for_keys_alone_is_asked_by_them_where_nobody_listens() -> None:
    line = a_line()
    await line.call("31")
    assert line.prompts.said("scenario.consultation.more").values["text"].startswith("Заявление")


async def test_who_hangs_up_after_an_answer_was_served_by_the_machine_and_before_it_was_not() -> None:
    line = a_line()
    early, late = line.ring("3", on="menu"), line.ring("31")
    early.caller.leaves(on="scenario.consultation.topic", after=1)
    late.caller.leaves(on="scenario.consultation.more", after=1)
    for channel in (early, late):
        await line.answers(channel)
    assert line.outcome(early) is ContactOutcome.ABANDONED_IVR
    assert line.outcome(late) is ContactOutcome.SELF_SERVICE


async def test_an_operator_of_the_questions_agency_gets_what_was_understood_with_the_topic() -> None:
    line = a_line()
    channel = await line.call("310")
    card = line.card(channel)
    assert channel.handed_over == ("soc-2", 0, card.id)
    assert (card.agency, card.topics, card.questions) == ("soc", ("Субсидии",), "Консультация: Субсидии.")
    assert heard(channel)[-1] == "soc"
    assert "connecting" not in channel.heard


async def test_who_has_understood_nothing_reaches_whoever_is_free_after_two_tries() -> None:
    line = a_line()
    channel = line.ring("3", on="menu")
    channel.caller.presses("9", on="scenario.consultation.topic", after=2)
    channel.caller.presses("8", on="scenario.consultation.topic.again", after=2)
    await line.answers(channel)
    assert heard(channel) == ["topic", "topic.again", "anybody"]
    assert channel.handed_over is not None and channel.handed_over[0] == "general"
    assert line.card(channel).questions == ""
    assert ("key", "scenario.consultation.topic", "wrong") in [
        (event.kind, event.id, event.outcome) for event in line.told(channel)
    ]


async def test_silence_ends_it_as_anywhere() -> None:
    line = a_line()
    channel = line.ring("31")
    await line.answers(channel)
    assert channel.heard[-1] == "goodbye"
    assert line.outcome(channel) is ContactOutcome.SELF_SERVICE


async def test_a_key_that_cut_an_answer_short_asks_for_no_callback() -> None:
    line = a_line()
    channel = line.ring("3119#01012001", on="menu")
    for hearing in (1, 2, 3):
        channel.caller.presses("9#01012001", on="status.again", after=1, hearing=hearing)
    channel.caller.presses("1", on="scenario.consultation.unknown", after=0.5)
    await line.answers(channel)
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-2"
    assert line.callbacks == []


async def test_the_trace_tells_the_version_states_and_keys_and_nothing_that_was_read_out() -> None:
    line = a_line()
    channel = await line.call(f"311{PAIR}0")
    told = [(event.kind, event.id, event.outcome) for event in line.told(channel)]
    assert ("ask", "scenario.consultation", "version 1") in told
    assert ("key", "scenario.consultation.topic", "1") in told
    assert ("ask", "scenario.consultation.more", "answered") in told
    assert not any("56000123" in "".join(event) or "Субсидия" in "".join(event) for event in told)


# --- versions ---


async def test_a_call_keeps_its_version_and_the_next_one_has_the_new() -> None:
    line = a_line()
    channel = line.ring("3", on="menu")
    channel.deeds["scenario.consultation.topic"] = lambda: publish_next(line)
    channel.caller.presses("13", on="scenario.consultation.topic", after=1)
    await line.answers(channel)
    assert line.prompts.said("scenario.consultation.bye").values["text"] == "До свидания!"
    await line.call("313")
    assert line.prompts.said("scenario.consultation.bye").values["text"] == "Всего доброго!"


def publish_next(line: Line) -> None:
    assert publish(line, SMALL.replace("До свидания!", "Всего доброго!")) == 2


async def test_after_a_rollback_of_the_only_version_the_imported_topics_are_asked() -> None:
    line = a_line()
    with line.store.transaction() as uow:
        service.rollback(uow, By(actor="cli:anna", at=line.clock.now()), "consultation")
        uow.commit()
    channel = await line.call("31")
    assert channel.handed_over is not None and channel.handed_over[0] == "szn-1"


async def test_a_text_that_this_program_does_not_take_leaves_the_imported_topics() -> None:
    line = a_line("scenario: consultation\n")
    channel = await line.call("31")
    assert channel.handed_over is not None and channel.handed_over[0] == "szn-1"


@pytest.mark.parametrize("topic", AGENCIES, ids=lambda topic: topic.key)
async def test_with_the_shipped_scenario_the_keys_of_the_demo_topics_lead_to_the_same_queues(
    topic: Any,
) -> None:
    data = shipped("consultation")
    assert data is not None
    line = Line().knows(topics=AGENCIES)
    publish(line, data.decode())
    channel = await line.call(f"3{topic.key}0")
    assert channel.handed_over is not None
    assert channel.handed_over[0] == f"{topic.agency}-{topic.line}"
    assert line.card(channel).topics == (topic.title,)
