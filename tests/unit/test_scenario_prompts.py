"""The words of what is published are made before anybody calls, once for each text."""

from __future__ import annotations

import pytest

from ivr.domain.errors import BadInput, StorageDown, Unavailable
from ivr.services.scenario_prompts import Preparation
from ivr.services.scenario_shelf import KEPT, Shelf
from tests.unit.ringing import Line
from tests.unit.test_flow_scenario import SMALL, publish

WORDS = {
    *("topic", "topic.again", "subsidy", "more", "more.voice", "more.again"),
    *("unknown", "soc", "anybody", "bye"),
}


def preparation(line: Line) -> Preparation:
    return Preparation(line.store, line.desk.shelf, line.prompts)


def made(line: Line) -> list[str]:
    return [prompt.id.removeprefix("scenario.consultation.") for prompt in line.prompts.asked]


async def test_without_a_published_scenario_nothing_is_made() -> None:
    line = Line()
    await preparation(line).work()
    assert made(line) == []


async def test_every_wording_of_the_published_version_is_made_once() -> None:
    line = Line()
    publish(line, SMALL)
    keeper = preparation(line)
    for _ in range(2):
        await keeper.work()
    assert sorted(made(line)) == sorted(WORDS)
    publish(line, SMALL.replace("До свидания!", "Всего доброго!"))
    await keeper.work()
    assert line.prompts.said("scenario.consultation.bye").values["text"] == "Всего доброго!"


async def test_what_could_not_be_made_is_tried_again() -> None:
    line = Line()
    publish(line, SMALL)
    line.prompts.failing = {"scenario.consultation.bye"}
    keeper = preparation(line)
    with pytest.raises(Unavailable):
        await keeper.work()
    line.prompts.failing = set()
    await keeper.work()
    assert made(line).count("bye") == 2


async def test_a_version_that_this_program_does_not_take_is_told_as_often_as_it_is_looked_at() -> None:
    line = Line()
    publish(line, "scenario: consultation\n")
    keeper = preparation(line)
    for _ in range(2):
        with pytest.raises(BadInput, match="version 1 of consultation is in force and none for this program"):
            await keeper.work()
    line.store.down = True
    with pytest.raises(StorageDown):
        await keeper.work()


async def test_the_shelf_keeps_a_few_texts_and_reads_each_once() -> None:
    line, shelf = Line(), Shelf()
    for number in range(KEPT + 1):
        publish(line, SMALL.replace("До свидания!", f"До свидания {number}!"))
    versions = line.store.rows.scenarios.list("consultation")
    first = [await shelf.scenario(version) for version in versions]
    again = [await shelf.scenario(version) for version in reversed(versions[-KEPT:])]
    assert all(one is other for one, other in zip(again, reversed(first[-KEPT:]), strict=True))
    assert await shelf.scenario(versions[0]) is not first[0]
