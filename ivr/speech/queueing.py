"""What is said around a queue: to who waits, to the operator before the talk, to everybody in an emergency.

While a caller waits the telephone switch itself plays `queue.stay` (asterisk-conf/queues.conf.j2), which it
finds by its name in the folder of prompts; what is told of place and wait (`queue.told`) lies under the same
name in a folder of the caller's own language, `ru_q_p02_w04`.
"""

from __future__ import annotations

import wave
from pathlib import Path

from ivr.domain.estimate import AT_ONCE, LAST_PLACE, MORE, SPOKEN, Told
from ivr.ports import Prompt
from ivr.speech import russian
from ivr.speech.kinds import SOUND, TEXT, clean, maybe_of, one_of, whole
from ivr.speech.parts import Entry, Number, Value, Values, Wording

NO_PLACE = {
    "no_operator": "Сейчас на линии нет операторов.",
    "full": "Сейчас нам звонит очень много людей, и места в очереди нет.",
    "timeout": "Простите за долгое ожидание. Свободного оператора пока нет.",
    "paused": "Сейчас все операторы отошли от телефона.",
}
LEVELS = {
    "none": "Личность не подтверждена.",
    "application": "Заявление найдено по расписке.",
    "personal": "Личность подтверждена.",
}
"""What the operator may tell (§20, §21)."""
CALL_ME = "Чтобы мы перезвонили вам, а место сохранилось, нажмите один."
_PLACE = "Ваше место в очереди:"
_STAY = "queue.stay"
_TOLD = "queue.told"


def recorded_as(id_: str) -> str:
    """The id whose recording replaces the wording of this one."""
    return "queue.position" if id_ == _TOLD else id_


def dialplan_name(prompt: Prompt) -> str | None:
    """The name, below the folder of prompts, by which the telephone switch finds it; None: it need not."""
    if prompt.id == _TOLD:
        told = Told(**prompt.values)  # type: ignore[arg-type]  # checked against the entry's kinds
        return f"ru_q_{told.name}/{_STAY}"
    return None if prompt.values else prompt.id


def telling(told: Told) -> Prompt:
    """The prompt that says this."""
    return Prompt.of(_TOLD, place=told.place, minutes=told.minutes)


def lay_silence(folder: Path) -> None:
    """Nothing is said to whom an operator is rung for at once, for it would keep the operator waiting."""
    path = folder / f"ru_q_{Told(place=1, minutes=AT_ONCE).name}" / f"{_STAY}.wav"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_silence(path)


def write_silence(path: Path) -> None:
    """Ten milliseconds of it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 80))


def _wait(v: Values) -> str:
    minutes = v["minutes"]
    if minutes is None:
        return ""
    if minutes == 0:
        return "Вам ответят примерно через минуту."
    if minutes == MORE:
        return "Ждать ответа придётся больше часа."
    return f"Вам ответят примерно через {russian.counted(minutes, russian.MINUTES_ACCUSATIVE, 'f', 'a')}."


def _topic(v: Values) -> str:
    return f"{clean(v['topic'])}." if clean(v["topic"]) else ""


QUEUEING: dict[str, Entry] = {
    "queue.position": Entry((Wording(_PLACE), Number("place")), {"place": whole(1, LAST_PLACE, prepared=10)}),
    "queue.wait": Entry((Value(_wait),), {"minutes": whole(0, 600, prepared=16)}),
    _STAY: Entry((Wording(CALL_ME),)),
    _TOLD: Entry(
        (Wording(_PLACE), Number("place"), Value(_wait), Value(lambda v: CALL_ME)),
        {"place": whole(1, LAST_PLACE), "minutes": maybe_of((*SPOKEN, MORE))},
    ),
    "queue.callback": Entry(
        (
            Wording(lambda v: NO_PLACE[v["reason"]]),
            Wording("Чтобы мы перезвонили вам, нажмите один."),
        ),
        {"reason": one_of(tuple(NO_PLACE))},
    ),
    "queue.closing": Entry((Wording("Наш рабочий день закончился. Простите, что не успели ответить вам."),)),
    "queue.unknown_number": Entry(
        (
            Wording("Ваш номер у нас не определился, поэтому перезвонить вам мы не сможем."),
            Wording("Оставайтесь, пожалуйста, на линии: ваше место сохранилось."),
        )
    ),
    "queue.returned": Entry(
        (
            Wording("Вы недавно ждали оператора, и связь прервалась. Ваше место в очереди сохранилось."),
            Wording("Чтобы вернуться на него, нажмите ноль."),
        )
    ),
    "queue.resumed": Entry(
        (
            Wording("Вы недавно говорили с оператором, и связь прервалась."),
            Wording("Чтобы продолжить разговор, нажмите ноль."),
        )
    ),
    "whisper": Entry(
        (Value(_topic), Value(lambda v: LEVELS[v["level"]]), Wording("Номер обращения.")),
        {"topic": TEXT, "level": one_of(tuple(LEVELS))},
    ),
    "whisper.callback": Entry(
        (
            Wording("Перезваниваем гражданину."),
            Value(_topic),
            Value(lambda v: LEVELS[v["level"]]),
            Wording("Номер обращения."),
        ),
        {"topic": TEXT, "level": one_of(tuple(LEVELS))},
    ),
    "announcement": Entry(
        (Value(lambda v: f"{clean(v['text'])}." if v["text"] else ""),), {"text": TEXT, "sound": SOUND}
    ),
}
