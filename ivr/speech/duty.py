"""What operators hear of their own working day, by telephone."""

from __future__ import annotations

from ivr.speech import russian
from ivr.speech.kinds import ENQUIRY, MOMENT, TEXT, clean
from ivr.speech.parts import Digits, Entry, Value, Wording


def _fixed(text: str) -> Entry:
    return Entry((Wording(text),))


DUTY: dict[str, Entry] = {
    "operator.logged_in": _fixed("Вы на линии. Звонки поступают."),
    "operator.logged_out": _fixed("Вы вышли. Звонки не поступают."),
    "operator.unknown": _fixed("Этот телефон не записан за оператором. Обратитесь к администратору."),
    "operator.ready": _fixed("Вы готовы. Звонки поступают."),
    "operator.paused": Entry(
        (Value(lambda v: f"Пауза: {clean(v['reason'])}. Звонки не поступают."),), {"reason": TEXT}
    ),
    "operator.reason": _fixed("Такой причины паузы нет. Наберите звёздочку, тринадцать и номер причины."),
    "operator.not_logged_in": _fixed("Вы не на линии. Чтобы войти, наберите звёздочку и одиннадцать."),
    "operator.was_paused": Entry(
        (Value(lambda v: f"Вы были поставлены на паузу. Причина: {clean(v['reason'])}."),),
        {"reason": TEXT},
    ),
    "operator.unreached": _fixed("Записано: с гражданином связаться не удалось."),
    "operator.deferred": Entry(
        (
            Wording("Обращение отложено. Номер обращения:"),
            Digits("enquiry"),
            Value(lambda v: f"Срок ответа: {russian.moment(v['deadline'], v['now'])}."),
        ),
        {"enquiry": ENQUIRY, "deadline": MOMENT, "now": MOMENT},
        personal=True,
    ),
    "operator.not_deferred": _fixed(
        "Обращение не отложено: у гражданина нет номера, по которому можно позвонить."
    ),
    "operator.no_talk": _fixed("Разговора, к которому это относится, не было."),
}
