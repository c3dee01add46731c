"""What the invented people are made of: names, services, payments, words for codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.domain.menu import Topic


@dataclass(frozen=True, kw_only=True)
class State:
    """How far an application has come."""

    status: str
    decision: str = ""
    refusal_reason: str = ""
    lacks_documents: bool = False


SZN, SOC, SFR = "Центр занятости", "Социальная защита", "Социальный фонд"
AGENCIES: Sequence[Topic] = (
    Topic(agency="szn", agency_name=SZN, key="11", title="Поиск работы", line=1),
    Topic(agency="szn", agency_name=SZN, key="12", title="Пособие по безработице", line=1),
    Topic(agency="szn", agency_name=SZN, key="13", title="Обучение новой профессии", line=2),
    Topic(agency="soc", agency_name=SOC, key="21", title="Пособия семьям с детьми", line=1),
    Topic(agency="soc", agency_name=SOC, key="22", title="Субсидии на оплату жилья", line=1),
    Topic(agency="soc", agency_name=SOC, key="23", title="Социальный контракт", line=2),
    Topic(agency="sfr", agency_name=SFR, key="31", title="Пенсии", line=1),
    Topic(agency="sfr", agency_name=SFR, key="32", title="Материнский капитал", line=1),
    Topic(agency="sfr", agency_name=SFR, key="33", title="Санаторное лечение", line=2),
)
SERVICES: Mapping[str, Sequence[str]] = {
    "szn": ("пособие по безработице", "обучение новой профессии", "помощь в поиске работы"),
    "soc": ("ежемесячное пособие на ребёнка", "субсидия на оплату жилья", "социальный контракт"),
    "sfr": ("единое пособие", "страховая пенсия по старости", "выплата из материнского капитала"),
}
PAYMENTS: Mapping[str, Sequence[str]] = {
    "szn": ("пособие по безработице", "стипендия за время обучения"),
    "soc": ("ежемесячное пособие на ребёнка", "субсидия на оплату жилья", "компенсация за отопление"),
    "sfr": ("страховая пенсия по старости", "единое пособие", "ежемесячная выплата по инвалидности"),
}
STATES: Sequence[State] = (
    State(status="рассмотрение завершено", decision="пособие назначено на двенадцать месяцев"),
    State(status="на рассмотрении"),
    State(status="рассмотрение приостановлено", lacks_documents=True),
    State(
        status="рассмотрение завершено",
        decision="отказано",
        refusal_reason="доход семьи выше прожиточного минимума",
    ),
    State(status="документы приняты"),
    State(status="рассмотрение завершено", decision="выплата назначена"),
)
MISSING: Sequence[str] = (
    "справка о доходах",
    "копия паспорта",
    "свидетельство о рождении ребёнка",
    "справка о составе семьи",
    "реквизиты банковского счёта",
)
_PORTAL = "Подайте заявление на портале государственных услуг или в многофункциональном центре"
NOTICES: Sequence[tuple[str, str, str, str]] = (
    ("soc", "рождение ребёнка", "ежемесячное пособие на ребёнка", _PORTAL),
    ("sfr", "рождение второго ребёнка", "материнский капитал", "Заявление не нужно, мы сообщим о решении"),
    ("szn", "потеря работы", "пособие по безработице", "Обратитесь в центр занятости с паспортом"),
    ("sfr", "выход на пенсию", "страховая пенсия по старости", _PORTAL),
)
"""Agency, event, measure, how to get it."""
CODE_WORDS: Sequence[str] = ("роза", "волга", "сокол", "берег", "осень", "сирень", "ёлка", "урал")
BIRTH_YEARS = range(1945, 2006)
NAMES: Sequence[Sequence[Sequence[str]]] = (
    (
        ("Орлова", "Кузнецова", "Абдулова", "Савельева", "Журавлёва", "Тимофеева", "Мельник"),
        ("Анна", "Мария", "Ольга", "Гульнара", "Екатерина", "Надежда", "Светлана"),
        ("Ивановна", "Сергеевна", "Рашидовна", "Петровна", "Алексеевна", ""),
    ),
    (
        ("Орлов", "Кузнецов", "Абдулов", "Савельев", "Журавлёв", "Тимофеев", "Мельник"),
        ("Иван", "Сергей", "Рашид", "Пётр", "Алексей", "Николай", "Тимур"),
        ("Иванович", "Сергеевич", "Рашидович", "Петрович", "Алексеевич", ""),
    ),
)
"""Women's, then men's: last names, first names, patronymics (not everybody has one)."""
