"""What is said to a caller who may choose the time of a callback, or another number."""

from __future__ import annotations

from ivr.speech import russian
from ivr.speech.kinds import FLAG, MOMENT, PHONE, SLOTS, one_of
from ivr.speech.parts import Entry, Value, Values, Wording

MAY_CHOOSE = {
    "both": "Чтобы выбрать время звонка или другой номер, нажмите один.",
    "time": "Чтобы выбрать время звонка, нажмите один.",
    "number": "Чтобы мы позвонили на другой номер, нажмите один.",
}
_KEYS = ("один", "два", "три", "четыре")


def _slots(v: Values) -> str:
    keys = iter(_KEYS)
    said = [f"Чтобы мы позвонили {russian.moment(at, v['now'])}, нажмите {next(keys)}." for at in v["slots"]]
    if v["number"]:
        said.append(f"Чтобы назвать другой номер, нажмите {next(keys)}.")
    return " ".join(said)


CHOOSING: dict[str, Entry] = {
    "callback.choose": Entry(
        (Wording("Можно положить трубку."), Wording(lambda v: MAY_CHOOSE[v["what"]])),
        {"what": one_of(tuple(MAY_CHOOSE))},
    ),
    "callback.slots": Entry((Value(_slots),), {"slots": SLOTS, "now": MOMENT, "number": FLAG}, personal=True),
    "callback.slot_taken": Entry((Wording("Простите, это время только что заняли."),)),
    "callback.typed": Entry(
        (
            Wording("Наберите номер телефона вместе с кодом города или оператора."),
            Wording("В конце нажмите решётку: это нижняя правая кнопка."),
        )
    ),
    "callback.number": Entry(
        (
            Value(lambda v: f"Мы перезвоним на номер {russian.phone(v['number'])}."),
            Wording("Если это верно, нажмите один. Чтобы набрать другой номер, нажмите два."),
        ),
        {"number": PHONE},
        personal=True,
    ),
    "callback.impossible": Entry((Wording("На этот номер мы позвонить не сможем."),)),
    "callback.kept": Entry((Wording("Мы перезвоним на номер, с которого вы звоните сейчас."),)),
}
