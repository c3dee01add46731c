"""What may be said to the questions of the flows, with its synonyms."""

from __future__ import annotations

from collections.abc import Mapping

from ivr import grammars
from ivr.ports import Prompt, Spoken

MENU: Mapping[str, tuple[str, ...]] = {
    "1": ("статус", "статус заявления", "состояние", "заявление", "заявления", "заявлению"),
    "2": ("пособия и выплаты", "выплаты", "выплата", "выплату", "пособия", "пособие", "льготы"),
    "3": ("консультация", "консультацию", "вопрос"),
}
STATUS_MENU: Mapping[str, tuple[str, ...]] = {
    "1": ("номер и дата расписки", "номер и дата", "расписка", "расписки", "дата"),
    "2": ("снилс", "по снилс", "номер снилс"),
}
AGAIN = ("ещё раз", "повторите", "повтори", "повторить")
MORE: Mapping[str, tuple[str, ...]] = {"1": AGAIN}
BENEFITS: Mapping[str, tuple[str, ...]] = {
    "1": AGAIN,
    "2": ("дальше", "продолжить", "ещё"),
    "3": ("всё", "стоп", "закончить", "до свидания"),
}


def menu(prompt: Prompt, phrases: Mapping[str, tuple[str, ...]], keys: str | None = None) -> Spoken:
    """A menu of these phrases. keys: only those of them that are offered now; None: all."""
    offered = {key: said for key, said in phrases.items() if keys is None or key in keys}
    return grammars.choice(prompt.id.replace(".", "-"), prompt.voiced, offered)
