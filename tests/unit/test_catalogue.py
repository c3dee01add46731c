"""The catalogue of prompts: every id is there, says what it should, and takes nothing it should not."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.errors import BadInput
from ivr.ports import Prompt
from ivr.speech import catalogue
from ivr.speech.kinds import LONGEST_FIELD, clean

ZONE = ZoneInfo("Asia/Yekaterinburg")
NOW = datetime(2026, 11, 24, 20, 15, tzinfo=ZONE)
OPENS = datetime(2026, 11, 25, 9, tzinfo=ZONE)
PROMISED = {
    "greeting",
    "closed",
    "closed.callback",
    "menu",
    "status.menu",
    "status.number",
    "status.date",
    "status.result",
    "snils",
    "snils.bad",
    "code",
    "document",
    "identify.failed",
    "identify.locked",
    "benefits",
    "topics",
    "queue.position",
    "queue.wait",
    "queue.callback",
    "callback.confirmed",
    "callback.greeting",
    "no_input",
    "no_match",
    "silence.reminder",
    "goodbye",
    "emergency",
    "resource.down",
    "snils.readback",
    "checking",
    "nothing_found",
    "operator.lost",
    "speech.confirm",
    "speech.keys_only",
    "callback.number",
    "callback.slots",
}
NAMES = {"name.surname", "name.first", "name.patronymic", "name.spell"}
VOICED = {
    "menu",
    "status.menu",
    "status.number",
    "status.date",
    "status.more",
    "snils",
    "snils.readback",
    "benefits.more",
    "topics",
    "closed.callback",
    "queue.callback",
    "callback.number",
    "silence.reminder",
    "speech.confirm",
    *NAMES,
}
"""What is put in other words to who may also speak, by `ID.voice`."""
OURS = {f"{id_}.voice" for id_ in VOICED} | {
    *NAMES,
    "speech.again",
    "connecting",
    "emergency.callback",
    "emergency.confirmed",
    "emergency.later",
    "queue.stay",
    "queue.told",
    "queue.closing",
    "queue.unknown_number",
    "queue.returned",
    "queue.resumed",
    "whisper",
    "whisper.callback",
    "callback.privacy",
    "callback.nobody",
    "announcement",
    "scenario",
    "operator.logged_in",
    "operator.logged_out",
    "operator.unknown",
    "operator.ready",
    "operator.paused",
    "operator.reason",
    "operator.not_logged_in",
    "operator.was_paused",
    "operator.unreached",
    "operator.no_talk",
    "operator.deferred",
    "operator.not_deferred",
    "supervisor.no_supervisor",
    "supervisor.no_operator",
    "supervisor.not_talking",
    "supervisor.later",
    "supervisor.over",
    "transfer.topic",
    "transfer.line",
    "transfer.reason",
    "transfer.way",
    "transfer.nobody",
    "transfer.impossible",
    "transfer.sent",
    "transfer.calling",
    "transfer.consult",
    "transfer.no_answer",
    "transfer.colleague_left",
    "transfer.citizen_left",
    "transfer.back",
    "callback.unknown_number",
    "callback.choose",
    "callback.slot_taken",
    "callback.typed",
    "callback.impossible",
    "callback.kept",
    "status.several",
    "status.locked",
    "status.again",
    "status.more",
    "identify.again",
    "benefits.next",
    "benefits.application",
    "benefits.notice",
    "benefits.more",
}
RESULT: dict[str, Any] = {
    "service": "Выплата на ребёнка",
    "accepted_on": date(2026, 3, 3),
    "status": "рассмотрено",
    "decision": "отказано",
    "refusal_reason": "нет сведений о доходах.",
    "missing_documents": ("справка о доходах", "копия паспорта"),
}
OPEN_ONES: dict[str, dict[str, Any]] = {
    "closed": {"opens_at": OPENS, "now": NOW},
    "status.result": RESULT,
    "snils.readback": {"snils": "11223344595"},
    "benefits": {"payments": (("Пособие", Decimal("1234.50"), date(2026, 3, 3), "paid"),)},
    "benefits.next": {"title": "Пособие", "amount": Decimal("1234"), "day": date(2026, 12, 5)},
    "benefits.application": RESULT,
    "benefits.notice": {
        "event": "рождение ребёнка",
        "measure": "ежемесячное пособие",
        "how_to_get": "подайте заявление в центр социальной поддержки",
        "valid_until": date(2026, 12, 31),
    },
    "topics": {"items": (("1", "Пособия"), ("21", "Льготы"), ("3", "Протезы"), ("4", "Путёвки"))},
    "queue.told": {"place": 2, "minutes": 4},
    "whisper": {"topic": "Субсидии", "level": "personal"},
    "whisper.callback": {"topic": "Субсидии", "level": "personal"},
    "topics.voice": {"items": (("1", "Пособия"), ("21", "Льготы"), ("3", "Протезы"), ("4", "Путёвки"))},
    "scenario": {"text": "О чём вы хотите узнать?"},
    "announcement": {"text": "Сегодня мы работаем до полудня", "sound": ""},
    "callback.confirmed": {"due": OPENS, "now": NOW, "enquiry": "0417"},
    "callback.greeting": {"enquiry": "0417"},
    "callback.unknown_number": {"opens": time(9), "closes": time(18)},
    "callback.number": {"number": "+79123456789"},
    "callback.slots": {"slots": (OPENS,) * 3, "now": NOW, "number": True},
    "transfer.reason": {"items": (("1", "вопрос другого ведомства"), ("9", "другая причина"))},
    "operator.paused": {"reason": "обед"},
    "operator.deferred": {"enquiry": "0417", "deadline": OPENS, "now": NOW},
    "operator.was_paused": {"reason": "не отвечает"},
    "speech.confirm": {"heard": "детские пособия"},
    "speech.confirm.voice": {"heard": "детские пособия"},
    "snils.readback.voice": {"snils": "11223344595"},
    "callback.number.voice": {"number": "+79123456789"},
}
EXAMPLES = [*catalogue.prepared(), *(Prompt(id_, values) for id_, values in OPEN_ONES.items())]


def say(id_: str, **values: object) -> str:
    return catalogue.text(Prompt.of(id_, **values))


def by_id(prompt: Prompt) -> str:
    return prompt.id


def test_every_promised_id_is_there_and_can_be_said() -> None:
    assert set(catalogue.ids()) == PROMISED | OURS
    assert {prompt.id for prompt in EXAMPLES} == set(catalogue.ids())


@pytest.mark.parametrize("prompt", EXAMPLES, ids=by_id)
def test_what_is_said_is_russian_in_whole_sentences(prompt: Prompt) -> None:
    text = catalogue.text(prompt)
    assert re.fullmatch(r"[А-ЯЁа-яё «»,.:;!?—-]+", text), text
    assert text[0].isupper() and text[-1] in ".?!" and ".." not in text and "  " not in text


@pytest.mark.parametrize("prompt", EXAMPLES, ids=by_id)
def test_no_question_offers_more_than_four_keys_and_each_purpose_comes_before_its_key(prompt: Prompt) -> None:
    sentences = [s for s in catalogue.sentences(prompt) if "нажмите" in s]
    assert len(sentences) <= 4
    for sentence in sentences:
        assert re.match(r"\s*(Чтобы|Если|В конце|Вы на линии|Пожалуйста|Скажите «|Это верно)", sentence), (
            sentence
        )


def test_the_greeting_speaks_of_recording_only_while_recording_is_on() -> None:
    assert "записывается" in say("greeting", recording=True)
    assert "запис" not in say("greeting", recording=False)


def test_the_main_menu_has_the_keys_of_the_interface() -> None:
    assert re.findall(r"нажмите (\w+)", say("menu")) == ["один", "два", "три", "ноль"]
    assert re.findall(r"нажмите (\w+)", say("status.menu")) == ["один", "два", "ноль"]


def test_who_may_speak_is_told_what_to_say_and_what_to_press() -> None:
    said = re.findall(r"[Сс]кажите «([^»]+)» или нажмите (\w+)", say("menu.voice"))
    assert [key for _, key in said] == ["один", "два", "три", "ноль"]
    assert "Вы сказали: «один, два, ноль»." in say("speech.confirm.voice", heard="120")


def test_the_next_opening_is_told_in_words() -> None:
    text = say("closed", opens_at=OPENS, now=NOW.astimezone(UTC))
    assert "Мы откроемся завтра, в среду, двадцать пятого ноября, в девять часов утра." in text
    assert "откроемся" not in say("closed", opens_at=None, now=NOW)


def test_a_result_says_all_that_is_known_and_leaves_out_what_is_not() -> None:
    assert say("status.result", **RESULT).endswith(
        "Услуга: Выплата на ребёнка. Заявление принято третьего марта две тысячи двадцать шестого года. "
        "Состояние: рассмотрено. Решение: отказано. Причина отказа: нет сведений о доходах. "
        "Не хватает документов: справка о доходах; копия паспорта."
    )
    bare = say("status.result", **{**RESULT, "decision": "", "refusal_reason": " ", "missing_documents": ()})
    assert "Решение" not in bare and "Причина" not in bare and "документов" not in bare


def test_two_digit_topics_are_told_as_two_keys() -> None:
    text = say("topics", **OPEN_ONES["topics"])
    assert "Чтобы узнать про «Льготы», нажмите два, затем один." in text


def test_a_confirmed_callback_names_its_time_and_the_enquiry_digit_by_digit() -> None:
    text = say("callback.confirmed", due=OPENS, now=NOW, enquiry="0417")
    assert text.startswith("Мы перезвоним вам завтра, в среду")
    assert text.endswith("Номер вашего обращения: ноль, четыре, один, семь.")
    assert "как только освободится" in say("callback.confirmed", due=None, now=NOW, enquiry="0417")


def test_a_reminder_among_digits_never_offers_zero_for_the_operator() -> None:
    for stage in (1, 2, 3):
        assert "ноль" not in say("silence.reminder", stage=stage, digits=True)
    assert "Оператор — ноль" in say("silence.reminder", stage=1, digits=False)


def test_the_three_reminders_differ() -> None:
    for digits in (False, True):
        assert len({say("silence.reminder", stage=n, digits=digits) for n in (1, 2, 3)}) == 3


def test_who_hides_the_number_is_told_when_to_call() -> None:
    text = say("callback.unknown_number", opens=time(9), closes=time(18))
    assert text.endswith("с девяти часов до восемнадцати часов.")


def test_waiting_minutes_agree_with_their_number() -> None:
    assert say("queue.wait", minutes=21).endswith("через двадцать одну минуту.")
    assert say("queue.wait", minutes=0).endswith("через минуту.")


def test_payments_are_told_with_amount_and_date() -> None:
    assert (
        say("benefits", **OPEN_ONES["benefits"])
        == "Ваши выплаты. Пособие: одна тысяча двести тридцать четыре рубля пятьдесят копеек, "
        "выплачено третьего марта две тысячи двадцать шестого года."
    )
    assert say("benefits", payments=()) == "Сведений о ваших выплатах у нас пока нет."


def test_the_next_payment_is_told_as_planned() -> None:
    assert say("benefits.next", **OPEN_ONES["benefits.next"]) == (
        "Ваша следующая выплата. Пособие: одна тысяча двести тридцать четыре рубля, "
        "назначено к выплате пятого декабря две тысячи двадцать шестого года."
    )


def test_a_notice_says_what_is_due_why_how_and_until_when() -> None:
    notice = OPEN_ONES["benefits.notice"]
    assert say("benefits.notice", **notice) == (
        "Вам положена мера поддержки. Мера: ежемесячное пособие. Основание: рождение ребёнка. "
        "Как её получить: подайте заявление в центр социальной поддержки. "
        "Обратиться можно до тридцать первого декабря две тысячи двадцать шестого года включительно."
    )
    assert "Обратиться" not in say("benefits.notice", **{**notice, "valid_until": None})


def test_going_on_is_offered_only_while_there_is_more() -> None:
    assert re.findall(r"нажмите (\w+)", say("benefits.more", left=True)) == ["один", "два", "три", "ноль"]
    assert re.findall(r"нажмите (\w+)", say("benefits.more", left=False)) == ["один", "три", "ноль"]
    assert say("benefits.more", left=False).startswith("Это все сведения.")


@pytest.mark.parametrize("id_", ["benefits", "benefits.next", "benefits.application", "benefits.notice"])
def test_what_is_personal_begins_with_a_short_sentence(id_: str) -> None:
    assert len(catalogue.sentences(Prompt(id_, OPEN_ONES[id_]))[0].split()) <= 5


@pytest.mark.parametrize(
    ("id_", "values"),
    [
        ("no_such_prompt", {}),
        ("greeting", {}),
        ("greeting", {"recording": 1}),
        ("menu", {"extra": 1}),
        ("queue.position", {"place": True}),
        ("queue.position", {"place": 0}),
        ("queue.position", {"place": "3"}),
        ("closed", {"opens_at": datetime(2026, 1, 1), "now": NOW}),
        ("closed", {"opens_at": OPENS, "now": None}),
        ("status.result", {**RESULT, "accepted_on": NOW}),
        ("status.result", {**RESULT, "missing_documents": ["a list"]}),
        ("goodbye", {"reason": "boredom"}),
        ("silence.reminder", {"stage": 4, "digits": False}),
        ("topics", {"items": ()}),
        ("topics", {"items": (("1", "а"),) * 5}),
        ("topics", {"items": (("0", "а"),)}),
        ("snils.readback", {"snils": "1122334459"}),
        ("callback.greeting", {"enquiry": "١٢٣٤"}),
        ("callback.number", {"number": "89123456789"}),
    ],
)
def test_wrong_parameters_are_refused(id_: str, values: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        say(id_, **values)


def test_a_refusal_names_no_value() -> None:
    with pytest.raises(BadInput) as refusal:
        say("snils.readback", snils="12345-секрет")
    assert "секрет" not in str(refusal.value)


def test_what_concerns_one_citizen_is_personal_and_never_made_in_advance() -> None:
    personal = {id_ for id_ in catalogue.ids() if catalogue.entry(id_).personal}
    assert {"status.result", "snils.readback", "benefits", "callback.number", "speech.confirm"} <= personal
    assert not personal & {prompt.id for prompt in catalogue.prepared()}


def test_markup_in_text_from_outside_is_not_spoken() -> None:
    text = say("status.result", **{**RESULT, "service": "<break time='9s'/>[[h@l'oU]]\x1b[0m\nПособие\u202e"})
    assert not set(text) & set("<>[]\x1b\n\u202e") and "Пособие." in text


@given(st.text(max_size=2000))
def test_cleaned_text_is_one_short_line_without_markup(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= LONGEST_FIELD
    assert not set(cleaned) & set("<>[]{}|\\`\n\r\t\x00")
    assert clean(cleaned) == cleaned


@given(st.lists(st.sampled_from("абвгдежз"), min_size=1, max_size=50).map("".join))
def test_plain_words_are_spoken_unchanged(word: str) -> None:
    assert clean(word) == word


@pytest.mark.parametrize("id_", catalogue.ids())
def test_the_documentation_has_each_prompt_with_its_parameters_and_text(id_: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{id_}` |"))
    assert all(f"`{name}`" in row for name in catalogue.entry(id_).parameters)
    assert any(catalogue.text(prompt) in row for prompt in EXAMPLES if prompt.id == id_)


def test_each_state_of_a_scenario_has_a_prompt_of_its_own_that_is_spoken_whole() -> None:
    said = "Пособие назначают на год. " * 30
    prompt = Prompt.of("scenario.consultation.children", text=f"{said}\n<b>Документы</b>: паспорт.")
    assert catalogue.text(prompt) == f"{said}b Документы /b : паспорт."
    with pytest.raises(BadInput):
        catalogue.text(Prompt.of("scenario.consultation.children", text=None))
