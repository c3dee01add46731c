"""A scenario as the recogniser gets it: what is listened for, what it means, what is said back."""

from __future__ import annotations

import re

import pytest

from ivr.domain.menu import said_as
from ivr.domain.words import words
from ivr.flows.scenario import play
from ivr.ports import Keyed, Question, Said
from ivr.scenarios import Scenario, load
from tests.unit.ringing import CHILDREN, HOUSING, WORK, Line
from tests.unit.scripted import ScriptedCall, a_desk, registered
from tests.unit.test_flow_scenario import SMALL, publish

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


# --- whole calls ---


def a_line() -> Line:
    line = Line(listens=True)
    publish(line)
    return line


async def test_a_caller_is_led_by_voice_and_an_operator_gets_what_was_understood() -> None:
    line = a_line()
    channel = line.ring("3", on="menu.voice", after=1)
    channel.caller.says("про субсидию субсидия", on="scenario.consultation.topic", after=1)
    channel.caller.says("оператора пожалуйста", on="scenario.consultation.more.voice", after=1)
    await line.answers(channel)
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-2"
    assert line.card(channel).questions == "Консультация: Субсидии."
    told = [(event.id, event.outcome) for event in line.told(channel) if event.kind == "speech"]
    assert told == [
        ("scenario.consultation.topic", "recognised"),
        ("scenario.consultation.more", "operator"),
    ]


async def test_what_is_no_answer_is_asked_again_and_then_the_scenario_goes_on_where_it_says() -> None:
    line = a_line()
    channel = line.ring("3", on="menu.voice", after=1)
    channel.caller.says("[unk] мычание", on="scenario.consultation.topic", after=1)
    channel.caller.says("[unk]", on="scenario.consultation.topic.again", after=1)
    await line.answers(channel)
    assert "speech.again" not in channel.heard
    assert channel.heard[-1] == "scenario.consultation.anybody"
    assert channel.handed_over is not None and channel.handed_over[0] == "general"


async def test_nothing_that_was_said_stands_in_the_trace() -> None:
    line = a_line()
    channel = line.ring("3", on="menu.voice", after=1)
    channel.caller.says("субсидия для Ивановой Марии", on="scenario.consultation.topic", after=1)
    channel.caller.leaves(on="scenario.consultation.more.voice", after=1)
    await line.answers(channel)
    steps = [f"{event.kind} {event.id} {event.outcome}" for event in line.told(channel)]
    assert "speech scenario.consultation.topic recognised" in steps
    assert not any("иванов" in step.lower() or "субсид" in step.lower() for step in steps)


async def test_metrics_count_a_scenario_as_one_grammar_whatever_its_versions() -> None:
    line = a_line()
    channel = line.ring("3", on="menu.voice", after=1)
    channel.caller.leaves(on="scenario.consultation.topic", after=1)
    await line.answers(channel)
    grammar = line.recogniser.taught["consultation-1-topic"]
    assert grammar.family == "consultation"


# --- imported topics ---


@pytest.mark.parametrize(
    ("said", "queue"),
    [("детские пособия", "soc-2"), ("жильё", "soc-1"), ("жилье пожалуйста", "soc-1"), ("работа", "szn-1")],
)
async def test_an_imported_topic_is_chosen_by_its_name_at_once(said: str, queue: str) -> None:
    line = Line(listens=True).knows(topics=[WORK, CHILDREN, HOUSING])
    channel = line.ring("3", on="menu.voice", after=1)
    channel.caller.says(said, on="topics.voice", after=1)
    await line.answers(channel)
    assert channel.handed_over is not None and channel.handed_over[0] == queue


async def test_the_name_of_an_agency_leads_to_its_topics() -> None:
    line = Line(listens=True).knows(topics=[WORK, CHILDREN, HOUSING])
    channel = line.ring("3", on="menu.voice", after=1)
    channel.caller.says("соцзащита", on="topics.voice", after=1)
    channel.caller.says("два", on="topics.voice", after=1, hearing=2)
    await line.answers(channel)
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-1"


def test_a_title_is_said_whole_or_by_a_long_word_of_its_own() -> None:
    titles = {"1": "Пособия семьям с детьми", "2": "Пособие на МФЦ-2", "3": "", "4": "Пособия"}
    assert said_as(titles) == {
        "1": ("пособия семьям с детьми", "семьям", "детьми"),
        "2": ("пособие на мфц", "пособие"),
        "3": (),
        "4": ("пособия",),
    }
