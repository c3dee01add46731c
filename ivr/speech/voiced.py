"""Questions as they are put to a caller who may also speak: `ID.voice` instead of `ID`."""

from __future__ import annotations

from ivr.speech import russian
from ivr.speech.kinds import FLAG, PHONE, SNILS, TEXT, clean, one_of, whole
from ivr.speech.parts import Entry, Value, Values, Wording
from ivr.speech.queueing import NO_PLACE

SUFFIX = ".voice"
OPERATOR = "Скажите «оператор» или нажмите ноль."
NAME_BY_OPERATOR = "Фамилию, имя и отчество спросит оператор. Чтобы поговорить с ним, нажмите ноль."
REMINDERS = {
    (1, False): "Пожалуйста, ответьте. Чтобы повторить, скажите «повторите» или нажмите звёздочку.",
    (2, False): "Вы на линии? Пожалуйста, скажите ответ или нажмите нужную кнопку.",
    (3, False): "Если вы не ответите, разговор завершится. Скажите «оператор» или нажмите ноль.",
    (1, True): "Пожалуйста, назовите или наберите цифры. Можно сказать «оператор».",
    (2, True): "Вы на линии? Пожалуйста, назовите или наберите цифры.",
    (3, True): "Если вы не ответите, разговор завершится. Можно сказать «оператор».",
}


def _said(v: Values) -> str:
    """What was understood; digits one by one."""
    heard = v["heard"]
    spoken = russian.digits_one_by_one(heard) if heard.isascii() and heard.isdecimal() else clean(heard)
    return f"Вы сказали: «{spoken}»."


def _fixed(*texts: str) -> Entry:
    return Entry((Wording(" ".join(texts)),))


VOICED: dict[str, Entry] = {
    "menu.voice": _fixed(
        "Скажите «статус заявления» или нажмите один.",
        "Скажите «пособия и выплаты» или нажмите два.",
        "Скажите «консультация» или нажмите три.",
        OPERATOR,
    ),
    "status.menu.voice": _fixed(
        "Скажите «номер и дата расписки» или нажмите один.",
        "Скажите «номер СНИЛС» или нажмите два.",
        OPERATOR,
    ),
    "status.number.voice": _fixed(
        "Назовите цифры номера заявления из расписки или наберите их. Буквы и знаки пропускайте.",
        "В конце набора нажмите решётку: это нижняя правая кнопка.",
    ),
    "status.date.voice": _fixed(
        "Назовите дату из расписки. Например: пятое марта две тысячи двадцать шестого года.",
        "Или наберите восемь цифр: день, месяц и год.",
    ),
    "status.more.voice": _fixed("Чтобы прослушать ещё раз, скажите «ещё раз» или нажмите один.", OPERATOR),
    "snils.voice": _fixed("Назовите одиннадцать цифр вашего СНИЛС или наберите их на телефоне."),
    "snils.readback.voice": Entry(
        (
            Wording("Ваш СНИЛС:"),
            Value(lambda v: f"{russian.snils(v['snils'])}."),
            Value(lambda v: "Если это верно, скажите «да». Если нет, скажите «нет» или нажмите звёздочку."),
        ),
        {"snils": SNILS},
        personal=True,
    ),
    # --- full names (§20), where the site lets callers say them ---
    "name.surname": _fixed(NAME_BY_OPERATOR),
    "name.surname.voice": _fixed("Назовите, пожалуйста, вашу фамилию."),
    "name.first": _fixed(NAME_BY_OPERATOR),
    "name.first.voice": _fixed("Назовите ваше имя."),
    "name.patronymic": _fixed(NAME_BY_OPERATOR),
    "name.patronymic.voice": _fixed("Назовите ваше отчество. Если отчества нет, скажите «нет отчества»."),
    "name.spell": _fixed(NAME_BY_OPERATOR),
    "name.spell.voice": _fixed(
        "Мы не уверены, что верно расслышали. Пожалуйста, назовите то же самое по буквам.",
        "Лучше всего именами: Иван, Василий, Анна, Николай. Или так: и, вэ, а, эн.",
    ),
    # ---
    "benefits.more.voice": Entry(
        (
            Wording(lambda v: "" if v["left"] else "Это все сведения."),
            Wording("Чтобы прослушать снова, скажите «ещё раз» или нажмите один."),
            Wording(lambda v: "Скажите «дальше» или нажмите два." if v["left"] else ""),
            Wording("Чтобы закончить, скажите «всё» или нажмите три."),
            Wording(OPERATOR),
        ),
        {"left": FLAG},
    ),
    "closed.callback.voice": _fixed(
        "Чтобы мы перезвонили вам, когда откроемся, скажите «да» или нажмите один."
    ),
    "queue.callback.voice": Entry(
        (
            Wording(lambda v: NO_PLACE[v["reason"]]),
            Wording("Чтобы мы перезвонили вам, скажите «да» или нажмите один."),
        ),
        {"reason": one_of(tuple(NO_PLACE))},
    ),
    "callback.number.voice": Entry(
        (
            Value(lambda v: f"Мы перезвоним на номер {russian.phone(v['number'])}."),
            Wording("Если это верно, скажите «да» или нажмите один."),
            Wording("Чтобы набрать другой номер, скажите «нет» или нажмите два."),
        ),
        {"number": PHONE},
        personal=True,
    ),
    "silence.reminder.voice": Entry(
        (Wording(lambda v: REMINDERS[v["stage"], v["digits"]]),),
        {"stage": whole(1, 3, prepared=3), "digits": FLAG},
    ),
    # --- what was said ---
    "speech.again": _fixed("Простите, мы вас не поняли."),
    "speech.confirm": Entry(
        (Value(_said), Wording("Если это верно, нажмите один. Если нет, нажмите два.")),
        {"heard": TEXT},
        personal=True,
    ),
    "speech.confirm.voice": Entry(
        (Value(_said), Wording("Это верно? Скажите «да» или «нет», или нажмите: да — один, нет — два.")),
        {"heard": TEXT},
        personal=True,
    ),
    "speech.keys_only": _fixed(
        "Простите, нам плохо вас слышно. Пожалуйста, отвечайте кнопками телефона.",
        "Оператора можно позвать и голосом.",
    ),
}
