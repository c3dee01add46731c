"""Consultation by topic: one or two keys to the queue of the agency and line that answer (§3в, §23)."""

from __future__ import annotations

import pytest

from ivr.domain.enquiry import ContactOutcome
from tests.unit.ringing import CHILDREN, HOUSING, WORK, Line


def a_line() -> Line:
    return Line().knows(topics=[WORK, CHILDREN, HOUSING])


@pytest.mark.parametrize(
    ("keys", "queue", "agency", "topic"),
    [
        ("31", "szn-1", "szn", "Работа"),
        ("321", "soc-2", "soc", "Детские пособия"),
        ("322", "soc-1", "soc", "Жильё"),
    ],
)
async def test_keys_typed_ahead_lead_to_the_queue_of_agency_and_line(
    keys: str, queue: str, agency: str, topic: str
) -> None:
    line = a_line()
    channel = await line.call(keys)
    card = line.card(channel)
    assert channel.handed_over == (queue, 0, card.id)
    assert (card.agency, card.topics) == (agency, (topic,))
    assert not {"greeting", "menu"} & set(channel.heard)


async def test_the_topic_is_on_the_card_before_the_caller_is_given_away() -> None:
    line = a_line()
    channel = line.ring("31")
    channel.caller.leaves(on="connecting", after=0.5)
    await line.answers(channel)
    assert channel.handed_over is None
    assert line.card(channel).topics == ("Работа",)
    assert line.outcome(channel) is ContactOutcome.ABANDONED_IVR


async def test_groups_are_offered_first_then_the_topics_of_one() -> None:
    line = a_line()
    channel = line.ring("3", on="menu")
    channel.caller.presses("2", on="topics")
    channel.caller.presses("2", on="topics", hearing=2)
    await line.answers(channel)
    first, second = [prompt for prompt in line.prompts.asked if prompt.id == "topics"]
    assert first.values["items"] == (("1", "Работа"), ("2", "Соцзащита"))
    assert second.values["items"] == (("1", "Детские пособия"), ("2", "Жильё"))
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-1"


@pytest.mark.parametrize("keys", ["30", "320", "3444", "32999"])
async def test_zero_and_wrong_keys_lead_to_the_general_queue_without_a_topic(keys: str) -> None:
    line = a_line()
    channel = await line.call(keys)
    assert channel.handed_over is not None and channel.handed_over[0] == "general"
    assert line.card(channel).topics == ()


async def test_without_any_topic_an_operator_answers() -> None:
    line = Line()
    channel = await line.call("3", on="menu")
    assert "topics" not in channel.heard
    assert channel.handed_over is not None and channel.handed_over[0] == "general"


async def test_a_topic_that_cannot_be_written_down_still_has_its_queue() -> None:
    line = a_line()
    line.store.failing_after = 2  # the card, the topics
    channel = await line.call("31")
    assert channel.handed_over is not None and channel.handed_over[0] == "szn-1"
