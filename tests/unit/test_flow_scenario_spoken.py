"""A scenario as the recogniser gets it: what is listened for, what it means, what is said back."""

from __future__ import annotations

import re

import pytest

from ivr.domain.words import words
from ivr.flows.scenario import play
from ivr.ports import Keyed, Question, Said
from ivr.scenarios import Scenario, load
from tests.unit.scripted import ScriptedCall, a_desk, registered
from tests.unit.test_flow_scenario import SMALL

TEXT = SMALL.replace("[субсидия]", "[субсидия, жильё моё, кое-что]")


class Speaker(ScriptedCall):
    """A caller who says one thing after the other; what means nothing to the question is an error."""

    def __init__(self, *said: str) -> None:
        super().__init__()
        self._said = list(said)
        self.questions: list[Question] = []
        self.back: list[str] = []
        """What would be said back in «Вы сказали …»."""

    async def ask(self, question: Question) -> Keyed | Said:
        self.questions.append(question)
        assert question.spoken is not None
        said = question.spoken.understand(words(self._said.pop(0)))
        assert said is not None
        self.back.append(said.words)
        return said


def scenario() -> Scenario:
    found = load(TEXT.encode()).scenario
    assert found is not None
    return found


async def talked(*said: str) -> Speaker:
    call, desk = Speaker(*said), a_desk()
    registered(desk, call)
    await play(call, desk, scenario(), number=7)  # type: ignore[arg-type]
    return call


async def test_words_lead_through_it_as_keys_do() -> None:
    call = await talked("расскажите про жилье мое", "закончить")
    assert call.finished
    assert [id_.rpartition(".")[2] for id_ in call.said] == ["subsidy", "bye"]
    assert call.back == ["жильё моё", "закончить"]


async def test_the_grammar_has_every_phrase_in_each_spelling_and_the_words_of_the_keys() -> None:
    call = await talked("субсидия", "три")
    spoken = call.questions[0].spoken
    assert spoken is not None
    assert set(spoken.grammar.phrases) == {
        *("один", "два", "три", "субсидия", "жильё моё", "жилье мое", "кое-что", "кое что"),
        *("выплаты", "уведомления"),
    }


async def test_no_two_questions_and_no_two_versions_share_a_name_of_a_grammar() -> None:
    call = await talked("субсидия", "три")
    names = [question.spoken.grammar.name for question in call.questions if question.spoken is not None]
    assert names == ["consultation-7-topic", "consultation-7-more"]
    assert all(re.fullmatch("[A-Za-z0-9-]+", name) for name in names)


async def test_a_question_has_its_own_words_for_who_may_speak_and_for_who_may_not() -> None:
    call = await talked("субсидия", "три")
    topic, more = call.questions
    assert topic.spoken is not None and more.spoken is not None
    assert (topic.prompt, topic.again) == (topic.spoken.prompt, topic.spoken.again)
    assert more.prompt.values["text"] == "Заявление — один, закончить — три."
    assert more.again is None
    assert more.spoken.prompt is not None and more.spoken.again is not None
    assert more.spoken.prompt.values["text"] == "Ваше заявление — один. Закончить — три."
    assert more.spoken.again.values["text"] == "Скажите «заявление»."


@pytest.mark.parametrize("said", ["мычание", "", "субсидия или выплаты"])
async def test_what_is_none_of_the_choices_is_no_answer(said: str) -> None:
    call = await talked("субсидия", "три")
    spoken = call.questions[0].spoken
    assert spoken is not None
    assert spoken.understand(words(said)) is None
