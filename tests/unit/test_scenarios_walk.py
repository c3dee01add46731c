"""A dialogue goes on by what is said and keyed; the shipped consultation answers ten topics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.words import words
from ivr.scenarios import (
    Answer,
    Ask,
    Choice,
    End,
    HandOver,
    Keyed,
    LookUp,
    Position,
    Result,
    Said,
    Scenario,
    Step,
    answered,
    begin,
    load,
    looked_up,
    shipped,
)
from ivr.scenarios.hearing import understand
from ivr.scenarios.walking import MOST_UNDERSTOOD
from ivr.services.demo_words import AGENCIES


def consultation() -> Scenario:
    data = shipped("consultation")
    assert data is not None
    scenario = load(data).scenario
    assert scenario is not None
    return scenario


CONSULTATION = consultation()
TOPICS = [
    ("11", "ищу работу", "job", "szn", "Поиск работы"),
    ("12", "меня уволили", "unemployment", "szn", "Пособие по безработице"),
    ("13", "хочу на курсы", "training", "szn", "Обучение новой профессии"),
    ("21", "пособие на ребенка", "children", "soc", "Пособия семьям с детьми"),
    ("22", "про субсидию", "housing", "soc", "Субсидии на оплату жилья"),
    ("23", "социальный контракт", "contract", "soc", "Социальный контракт"),
    ("31", "когда мне пенсия", "pension", "sfr", "Пенсии"),
    ("32", "материнский капитал", "capital", "sfr", "Материнский капитал"),
    ("33", "путёвка в санаторий", "sanatorium", "sfr", "Санаторное лечение"),
    ("34", "единое пособие на детей", "universal", "sfr", "Единое пособие"),
]
BY_TOPIC = pytest.mark.parametrize(("keys", "words", "state", "agency", "topic"), TOPICS)


def walk(*heard: str, scenario: Scenario = CONSULTATION) -> Step:
    """A digit is a key, a result's name the end of a look-up, everything else is said."""
    step = begin(scenario)
    for one in heard:
        if isinstance(step.state, LookUp):
            step = looked_up(scenario, step.at, Result(one))
        else:
            step = answered(
                scenario, step.at, Keyed(key=one) if one in set("0123456789*#") else Said(text=one)
            )
    return step


def answer_of(state: str) -> str:
    told = CONSULTATION.states[state]
    assert isinstance(told, Answer)
    return told.answer


# --- the shipped consultation ---


def test_the_topics_of_the_consultation_are_ten_and_have_the_demo_agencies_and_lines() -> None:
    assert len({state for _, _, state, _, _ in TOPICS}) == 10
    known = {(topic.agency, topic.title): topic.line for topic in AGENCIES}
    given_ = {
        (state.agency, state.topic): state.line
        for state in CONSULTATION.states.values()
        if isinstance(state, HandOver) and state.topic is not None
    }
    assert known.items() <= given_.items()
    assert given_.keys() == {(agency, topic) for *_, agency, topic in TOPICS}


@BY_TOPIC
def test_a_topic_is_answered_by_voice_at_once(
    keys: str, words: str, state: str, agency: str, topic: str
) -> None:
    step = walk(words)
    assert step.says[0] == answer_of(state)
    assert step.at == Position(state=f"{state}_more", understood=(topic,))


@BY_TOPIC
def test_a_topic_is_answered_by_two_keys(keys: str, words: str, state: str, agency: str, topic: str) -> None:
    step = walk(*keys)
    assert step.says[0] == answer_of(state)
    assert step.at.understood[-1] == topic


@BY_TOPIC
def test_whoever_wants_more_is_handed_to_the_topics_agency_with_what_was_understood(
    keys: str, words: str, state: str, agency: str, topic: str
) -> None:
    step = walk(words, "заявление", "nothing")
    assert isinstance(step.state, HandOver)
    assert (step.state.agency, step.state.topic) == (agency, topic)
    assert step.at.understood == (topic, "Хочет узнать о своём заявлении")


@BY_TOPIC
def test_every_way_on_from_a_topic_leads_where_it_says(
    keys: str, words: str, state: str, agency: str, topic: str
) -> None:
    assert walk(words, "оператор").at.state == f"{state}_operator"
    assert walk(words, "мычание", "").at.state == f"{state}_operator"
    assert walk(words, "1", "down").at.state == f"{state}_operator"
    assert walk(words, "1", "refused").at.state == f"{state}_operator"
    assert walk(words, "1", "found").at.state == f"{state}_more"
    assert walk(words, "повторите").says[0] == answer_of(state)
    assert walk(words, "нет, другая тема").at.state == "topic"
    assert isinstance(walk(words, "спасибо").state, End)


@pytest.mark.parametrize(("key", "agency"), [("1", "szn"), ("2", "soc"), ("3", "sfr")])
def test_an_agency_that_was_chosen_is_the_one_that_an_operator_is_asked_of(key: str, agency: str) -> None:
    for last in (("0",), ("нужен оператор",), ("мычание", "мычание")):
        step = walk(key, *last)
        assert isinstance(step.state, HandOver)
        assert step.state.agency == agency
    assert walk(key, "9").at.state == "topic"


def test_before_any_choice_an_operator_is_whoever_is_free() -> None:
    step = walk("0")
    assert isinstance(step.state, HandOver)
    assert step.state.agency is None


# --- steps ---


def test_an_answer_that_was_not_understood_is_asked_once_more_and_then_given_up() -> None:
    first = walk("мычание")
    asked = CONSULTATION.states["topic"]
    assert isinstance(asked, Ask)
    assert (first.says, first.at) == ((asked.again,), Position(state="topic", failures=1))
    assert walk("мычание", "").at.state == asked.unclear


def test_a_key_that_means_nothing_is_not_understood_either() -> None:
    assert walk("#").at.failures == 1


def test_failures_are_counted_anew_at_the_next_question() -> None:
    assert walk("мычание", "2").at == Position(state="soc", understood=("Вопрос к социальной защите",))


def test_who_goes_round_and_round_leaves_a_bounded_trace() -> None:
    assert len(walk(*["пенсия", "2"] * 30).at.understood) == MOST_UNDERSTOOD


def test_an_answer_where_nothing_was_asked_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="asks nothing"):
        answered(CONSULTATION, Position(state="bye"), Said(text="да"))
    with pytest.raises(ValueError, match="looks nothing up"):
        looked_up(CONSULTATION, Position(state="topic"), Result.FOUND)


@given(
    st.lists(
        st.one_of(st.sampled_from([*"0123456789*#", "пенсия", "заявление", "назад"]), st.text(max_size=20))
    )
)
def test_whatever_is_said_there_are_words_or_a_look_up_and_a_state_that_waits(heard: list[str]) -> None:
    step = begin(CONSULTATION)
    for one in heard:
        assert step.says or isinstance(step.state, LookUp)
        if isinstance(step.state, End | HandOver):
            break
        if isinstance(step.state, LookUp):
            step = looked_up(CONSULTATION, step.at, Result.NOTHING)
        else:
            step = answered(CONSULTATION, step.at, Keyed(key=one) if len(one) == 1 else Said(text=one))


# --- words ---

BENEFIT = Choice(key="1", phrases=("пособие",), to="a")
UNEMPLOYMENT = Choice(key="2", phrases=("пособие по безработице", "учёба"), to="b")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("мне нужно пособие", (BENEFIT, "пособие")),
        ("Пособие по безработице, пожалуйста", (UNEMPLOYMENT, "пособие по безработице")),
        ("УЧЕБА", (UNEMPLOYMENT, "учёба")),
        ("два", (UNEMPLOYMENT, "два")),
        ("у меня два вопроса", None),
        ("пособие или учёба", None),
        ("пособиен", None),
        ("", None),
    ],
)
def test_the_longest_phrase_among_the_words_is_meant(said: str, meant: object) -> None:
    assert understand((BENEFIT, UNEMPLOYMENT), words(said)) == meant
