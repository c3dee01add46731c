"""What a citizen hears about matters of his or her own: an application, payments, notices of entitlement.

Each begins with a short sentence of ours, so that something is heard soon, however long the values are.
"""

from __future__ import annotations

from collections.abc import Iterable

from ivr.speech import russian
from ivr.speech.kinds import (
    DAY,
    FLAG,
    MAYBE_DAY,
    MONEY,
    PAYMENT_STATES,
    PAYMENTS,
    TEXT,
    TEXTS,
    clean,
)
from ivr.speech.parts import Entry, Value, Values, Wording

OPERATOR = "Чтобы поговорить с оператором, нажмите ноль."


def _sentence(label: str, value: str) -> str:
    words = clean(value)
    return f"{label}: {words}." if words else ""


def _listed(label: str, values: Iterable[str]) -> str:
    return _sentence(label, "; ".join(filter(None, map(clean, values))))


def _titled(title: str) -> str:
    return clean(title) or "Выплата"


def _payments(v: Values) -> str:
    if not v["payments"]:
        return "Сведений о ваших выплатах у нас пока нет."
    return " ".join(
        f"{_titled(title)}: {russian.money(amount)}, {PAYMENT_STATES[status]} {russian.date_of(day)}."
        for title, amount, day, status in v["payments"]
    )


def _next_payment(v: Values) -> str:
    amount, day = russian.money(v["amount"]), russian.date_of(v["day"])
    return f"{_titled(v['title'])}: {amount}, назначено к выплате {day}."


def _until(v: Values) -> str:
    day = v["valid_until"]
    return f"Обратиться можно до {russian.date_of(day)} включительно." if day else ""


APPLICATION = (
    Value(lambda v: _sentence("Услуга", v["service"])),
    Value(lambda v: f"Заявление принято {russian.date_of(v['accepted_on'])}."),
    Value(lambda v: _sentence("Состояние", v["status"])),
    Value(lambda v: _sentence("Решение", v["decision"])),
    Value(lambda v: _sentence("Причина отказа", v["refusal_reason"])),
    Value(lambda v: _listed("Не хватает документов", v["missing_documents"])),
)
"""What is told of an application (§20)."""
APPLICATION_PARAMETERS = {
    "service": TEXT,
    "accepted_on": DAY,
    "status": TEXT,
    "decision": TEXT,
    "refusal_reason": TEXT,
    "missing_documents": TEXTS,
}

RESULT = {
    "status.result": Entry(
        (Wording("Мы нашли ваше заявление."), *APPLICATION), APPLICATION_PARAMETERS, personal=True
    ),
}

BENEFITS = {
    "benefits": Entry(
        (Wording(lambda v: "Ваши выплаты." if v["payments"] else ""), Value(_payments)),
        {"payments": PAYMENTS},
        personal=True,
    ),
    "benefits.next": Entry(
        (Wording("Ваша следующая выплата."), Value(_next_payment)),
        {"title": TEXT, "amount": MONEY, "day": DAY},
        personal=True,
    ),
    "benefits.application": Entry(
        (Wording("Ваше заявление."), *APPLICATION), APPLICATION_PARAMETERS, personal=True
    ),
    "benefits.notice": Entry(
        (
            Wording("Вам положена мера поддержки."),
            Value(lambda v: _sentence("Мера", v["measure"])),
            Value(lambda v: _sentence("Основание", v["event"])),
            Value(lambda v: _sentence("Как её получить", v["how_to_get"])),
            Value(_until),
        ),
        {"event": TEXT, "measure": TEXT, "how_to_get": TEXT, "valid_until": MAYBE_DAY},
        personal=True,
    ),
    "benefits.more": Entry(
        (
            Wording(lambda v: "" if v["left"] else "Это все сведения."),
            Wording("Чтобы прослушать ещё раз, нажмите один."),
            Wording(lambda v: "Чтобы слушать дальше, нажмите два." if v["left"] else ""),
            Wording("Чтобы закончить разговор, нажмите три."),
            Wording(OPERATOR),
        ),
        {"left": FLAG},
    ),
}
