"""What is said around a transfer: short to operators, who hear it every day, and truthful to the citizen."""

from __future__ import annotations

from ivr.speech.kinds import Kind, clean
from ivr.speech.parts import Entry, Value, Values, Wording

_FIGURES = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_BACK = "Вернуться к разговору — ноль."


def _items(value: object) -> bool:
    """One to nine pairs of a key 1-9 and a title."""
    return isinstance(value, tuple) and 1 <= len(value) <= 9 and all(map(_item, value))


def _item(value: object) -> bool:
    match value:
        case (str(key), str()):
            return len(key) == 1 and key in "123456789"
    return False


REASONS = Kind(name="tuple of 1-9 (key, title)", accepts=_items)


def _reasons(v: Values) -> str:
    return " ".join(f"{clean(title).capitalize()} — {_FIGURES[int(key)]}." for key, title in v["items"])


def _fixed(*texts: str) -> Entry:
    return Entry((Wording(" ".join(texts)),))


TRANSFERRING: dict[str, Entry] = {
    "transfer.topic": _fixed(
        "Перевод. Наберите номер темы и решётку. Вернуться к разговору — две звёздочки."
    ),
    "transfer.line": _fixed("Первая линия — один. Вторая — два.", _BACK),
    "transfer.reason": Entry((Wording("Причина."), Value(_reasons)), {"items": REASONS}),
    "transfer.way": _fixed("Перевести сразу — один. Сначала поговорить с коллегой — два.", _BACK),
    "transfer.nobody": _fixed("На этой линии сейчас никого нет."),
    "transfer.impossible": _fixed("Сейчас перевести нельзя."),
    "transfer.sent": _fixed("Перевожу звонок, спасибо."),
    "transfer.calling": _fixed("Соединяю с коллегой. Заявитель слышит музыку."),
    "transfer.consult": _fixed(
        "Соединить заявителя с коллегой — один. Говорить втроём — два. Вернуться к заявителю — три.",
        "Продолжить с коллегой — ноль.",
    ),
    "transfer.no_answer": _fixed("Коллега не ответил. Возвращаю вас к заявителю."),
    "transfer.colleague_left": _fixed("Коллега положил трубку. Возвращаю вас к заявителю."),
    "transfer.citizen_left": _fixed("Заявитель положил трубку."),
    "transfer.back": _fixed("Этот специалист сейчас не отвечает. Соединяем вас с прежним оператором."),
}
