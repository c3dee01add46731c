"""What the line says: the texts of the catalogue, in warm and plain Russian for people who are not young.

Purpose comes before the key («Чтобы узнать …, нажмите один»), a menu has at most four items, sentences
are short. What is said is true whatever happens next.
"""

from __future__ import annotations

from ivr.speech import russian
from ivr.speech.calling import CALLED
from ivr.speech.choosing import CHOOSING
from ivr.speech.duty import DUTY
from ivr.speech.kinds import (
    CLOCK_TIME,
    ENQUIRY,
    FLAG,
    ITEMS,
    MAYBE_MOMENT,
    MOMENT,
    SNILS,
    TEXT,
    clean,
    harmless,
    one_of,
    whole,
)
from ivr.speech.parts import Digits, Entry, Value, Values, Wording
from ivr.speech.personal import BENEFITS, OPERATOR, RESULT
from ivr.speech.queueing import QUEUEING
from ivr.speech.supervising import SUPERVISING
from ivr.speech.transferring import TRANSFERRING
from ivr.speech.voiced import VOICED

CENTRE = "Здравствуйте! Это единый контактный центр социальной поддержки."
GOODBYES = {
    "silence": "Мы не услышали ответа, поэтому заканчиваем разговор. Позвоните нам ещё раз. До свидания.",
    "served": "Спасибо за звонок. Всего вам доброго, до свидания.",
    "callback": "Спасибо. Ждите нашего звонка. До свидания.",
    "closed": "Спасибо за звонок. Позвоните нам, пожалуйста, в рабочее время. До свидания.",
}
REMINDERS = {
    (1, False): "Пожалуйста, ответьте. Повторить — звёздочка. Оператор — ноль.",
    (2, False): "Вы на линии? Пожалуйста, нажмите нужную кнопку.",
    (3, False): "Если вы не ответите, разговор завершится. Оператор — ноль.",
    (1, True): "Пожалуйста, наберите цифры. Оператор — две звёздочки.",
    (2, True): "Вы на линии? Пожалуйста, набирайте цифры.",
    (3, True): "Если вы не ответите, разговор завершится. Оператор — две звёздочки.",
}
"""By stage and whether digits are collected, where `0` is a digit and `**` the operator."""
_FIGURES = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")


def _keys(key: str) -> str:
    return ", затем ".join(_FIGURES[int(k)] for k in key)


def _topics(v: Values) -> str:
    return " ".join(f"Чтобы узнать про «{clean(title)}», нажмите {_keys(key)}." for key, title in v["items"])


def _opening(v: Values) -> str:
    if v["opens_at"] is None:
        return "Позвоните нам, пожалуйста, в рабочий день."
    return f"Мы откроемся {russian.moment(v['opens_at'], v['now'])}."


def _promise(v: Values) -> str:
    if v["due"] is None:
        return "Мы перезвоним вам, как только освободится оператор."
    return f"Мы перезвоним вам {russian.moment(v['due'], v['now'])}."


def _hours(v: Values) -> str:
    opens, closes = russian.genitive_time(v["opens"]), russian.genitive_time(v["closes"])
    return f"Мы работаем в будние дни с {opens} до {closes}."


def _fixed(*texts: str) -> Entry:
    return Entry((Wording(" ".join(texts)),))


ENTRIES: dict[str, Entry] = {
    # --- first words ---
    "greeting": Entry(
        (
            Wording(CENTRE),
            Value(lambda v: "Разговор записывается." if v["recording"] else ""),
            Wording("Чтобы сразу соединиться с оператором, нажмите ноль."),
        ),
        {"recording": FLAG},
    ),
    "closed": Entry(
        (Wording(f"{CENTRE} Сейчас мы не работаем."), Value(_opening)),
        {"opens_at": MAYBE_MOMENT, "now": MOMENT},
    ),
    "closed.callback": _fixed("Чтобы мы перезвонили вам, когда откроемся, нажмите один."),
    "menu": _fixed(
        "Чтобы узнать о вашем заявлении, нажмите один.",
        "Чтобы узнать о пособиях и выплатах, нажмите два.",
        "Чтобы получить консультацию, нажмите три.",
        OPERATOR,
    ),
    # --- status of an application ---
    "status.menu": _fixed(
        "Чтобы узнать о заявлении по номеру и дате из расписки, нажмите один.",
        "Чтобы узнать о заявлении по номеру СНИЛС, нажмите два.",
        OPERATOR,
    ),
    "status.number": _fixed(
        "Наберите номер заявления из расписки. Буквы и знаки пропускайте.",
        "В конце нажмите решётку: это нижняя правая кнопка.",
    ),
    "status.date": _fixed(
        "Наберите восемь цифр даты из расписки: день, месяц и год.",
        "Например, пятое марта две тысячи двадцать шестого года:",
        "ноль, пять, ноль, три, два, ноль, два, шесть.",
    ),
    **RESULT,
    "status.more": _fixed("Чтобы прослушать ещё раз, нажмите один.", OPERATOR),
    "status.several": _fixed(
        "По этому номеру и этой дате есть несколько заявлений. Оператор поможет найти ваше."
    ),
    "status.again": _fixed("Пожалуйста, проверьте номер и дату в расписке. Наберите их ещё раз."),
    "status.locked": _fixed(
        "Было слишком много неверных попыток. Сейчас узнать о заявлении набором цифр нельзя.",
        "Оператор поможет вам.",
    ),
    "nothing_found": _fixed("С таким номером и такой датой мы ничего не нашли."),
    "checking": _fixed("Минуту, пожалуйста. Проверяем."),
    "resource.down": _fixed("К сожалению, сейчас мы не можем получить эти сведения. Оператор поможет вам."),
    # --- who calls ---
    "snils": _fixed("Наберите одиннадцать цифр вашего СНИЛС."),
    "snils.bad": _fixed("В номере СНИЛС ошибка. Пожалуйста, проверьте его и наберите ещё раз."),
    "snils.readback": Entry(
        (
            Wording("Вы набрали:"),
            Value(lambda v: f"{russian.snils(v['snils'])}."),
            Value(lambda v: "Если это неверно, нажмите звёздочку."),
        ),
        {"snils": SNILS},
        personal=True,
    ),
    "code": _fixed("Наберите ваш секретный код. В конце нажмите решётку: это нижняя правая кнопка."),
    "document": _fixed(
        "Наберите серию и номер вашего документа, только цифры.",
        "В конце нажмите решётку: это нижняя правая кнопка.",
    ),
    "identify.again": _fixed("Данные не совпали с теми, что есть у нас. Попробуйте ещё раз."),
    "identify.failed": _fixed("Данные не совпали с теми, что есть у нас. Оператор поможет вам."),
    "identify.locked": _fixed(
        "Было слишком много неверных попыток, и мы защитили ваши данные.", "Оператор поможет вам."
    ),
    **BENEFITS,
    # --- consultation and queue ---
    "topics": Entry((Value(_topics),), {"items": ITEMS}),
    "topics.voice": Entry(
        (Wording("Назовите тему или выберите её кнопкой."), Value(_topics)), {"items": ITEMS}
    ),
    "scenario": Entry((Wording(lambda v: harmless(v["text"])),), {"text": TEXT}),
    "connecting": _fixed("Соединяем вас с оператором. Пожалуйста, не кладите трубку."),
    **QUEUEING,
    "operator.lost": _fixed("Связь с оператором прервалась. Мы снова соединяем вас."),
    # --- callback ---
    "callback.confirmed": Entry(
        (Value(_promise), Value(lambda v: "Номер вашего обращения:"), Digits("enquiry")),
        {"due": MAYBE_MOMENT, "now": MOMENT, "enquiry": ENQUIRY},
        personal=True,
    ),
    "callback.greeting": Entry(
        (
            Wording(f"{CENTRE} Мы перезваниваем вам."),
            Value(lambda v: "Номер вашего обращения:"),
            Digits("enquiry"),
        ),
        {"enquiry": ENQUIRY},
        personal=True,
    ),
    **CALLED,
    "callback.unknown_number": Entry(
        (
            Wording("Ваш номер у нас не определился, поэтому перезвонить вам мы не сможем."),
            Wording("Пожалуйста, позвоните нам ещё раз."),
            Value(_hours),
        ),
        {"opens": CLOCK_TIME, "closes": CLOCK_TIME},
    ),
    **CHOOSING,
    # --- when an answer is missing or wrong ---
    "no_input": _fixed("Продолжайте, пожалуйста."),
    "no_match": _fixed("Такого варианта нет."),
    "silence.reminder": Entry(
        (Wording(lambda v: REMINDERS[v["stage"], v["digits"]]),),
        {"stage": whole(1, 3, prepared=3), "digits": FLAG},
    ),
    **VOICED,
    # --- last words ---
    "goodbye": Entry((Wording(lambda v: GOODBYES[v["reason"]]),), {"reason": one_of(tuple(GOODBYES))}),
    "emergency": _fixed("Простите, у нас технический сбой. Соединяем вас с оператором."),
    "emergency.callback": _fixed(
        "Простите, у нас технический сбой. Соединить вас с оператором сейчас нельзя.",
        "Чтобы мы перезвонили вам, нажмите один.",
    ),
    "emergency.confirmed": _fixed("Спасибо. Мы перезвоним вам, как только сможем. До свидания."),
    "emergency.later": _fixed(
        "Простите, у нас технический сбой. Пожалуйста, позвоните нам позже. До свидания."
    ),
    # --- to operators ---
    **DUTY,
    **TRANSFERRING,
    **SUPERVISING,
}
