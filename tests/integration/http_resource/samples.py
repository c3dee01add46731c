"""What a participant sends, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from ivr.domain.enquiry import Application
from ivr.resources.http import HttpResource

SNILS, OTHER = "11223344595", "08765430300"
DAY = date(2026, 3, 3)
APPLICATION: dict[str, Any] = {
    "number": "56-000123/А",
    "accepted_on": "2026-03-03",
    "service": "Выплата на ребёнка",
    "status": "рассмотрено",
    "decision": "отказано",
    "refusal_reason": "нет сведений о доходах",
    "missing_documents": ["справка о доходах", "копия паспорта"],
    "something_new": {"we": "ignore"},
}
FOUND = {**APPLICATION, "snils": SNILS}
PAYMENT = {"title": "Пособие", "amount": "1234.5", "date": "2026-03-03", "status": "paid"}
NOTICE = {"event": "рождение ребёнка", "measure": "выплата", "how_to_get": "в МФЦ", "valid_until": None}
PERSONAL: dict[str, Any] = {
    "snils": SNILS,
    "payments": [PAYMENT],
    "applications": [APPLICATION],
    "notices": [NOTICE],
}
OURS = Application(
    snils=SNILS,
    number="56-000123/А",
    accepted_on=DAY,
    agency="soc",
    service="Выплата на ребёнка",
    status="рассмотрено",
    decision="отказано",
    refusal_reason="нет сведений о доходах",
    missing_documents=("справка о доходах", "копия паспорта"),
)
Ask = Callable[..., HttpResource]
