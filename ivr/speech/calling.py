"""What is said to a citizen whom we have called, and to the operator who calls."""

from __future__ import annotations

from ivr.speech.kinds import FLAG
from ivr.speech.parts import Entry, Wording

_OURSELVES = "Чтобы подтвердить личность кнопками, нажмите один."
_LINE = "восемь восемьсот, шестьсот, ноль ноль, ноль ноль"
"""8-800-600-00-00, as numbers of the country are read."""

CALLED: dict[str, Entry] = {
    "callback.privacy": Entry(
        (
            Wording("Личные данные и код мы не спрашиваем."),
            Wording(lambda v: _OURSELVES if v["identify"] else ""),
            Wording(f"Если сомневаетесь, перезвоните: {_LINE}. Вас соединят без очереди."),
        ),
        {"identify": FLAG},
    ),
    "callback.nobody": Entry(
        (Wording("Простите, операторы сейчас не отвечают. Мы перезвоним вам. До свидания."),)
    ),
}
