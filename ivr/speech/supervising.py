"""What a supervisor hears who wants to listen to a talk (§9.1)."""

from __future__ import annotations

from ivr.speech.parts import Entry, Wording

_TEXTS = {
    "supervisor.no_supervisor": "Слушать разговоры может только супервизор.",
    "supervisor.no_operator": "Среди ваших операторов такого номера нет.",
    "supervisor.not_talking": "Этот оператор сейчас не разговаривает.",
    "supervisor.later": "Сейчас это невозможно. Попробуйте позже.",
    "supervisor.over": "Оператор и гражданин закончили разговор. Слушать больше нечего.",
}
SUPERVISING: dict[str, Entry] = {id_: Entry((Wording(text),)) for id_, text in _TEXTS.items()}
