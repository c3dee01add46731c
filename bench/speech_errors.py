"""How often callers are misunderstood: what they say to each question, and what the line takes it for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any

from vosk import Model, SetLogLevel

from bench.report import Table
from bench.speech_load import phrases
from bench.voices import QUIET_FRAME, frames_of
from ivr import grammars
from ivr.domain import snils
from ivr.domain.words import wants_operator, words
from ivr.hearing import Hearing
from ivr.ports import Grammar, Heard, Spoken
from ivr.speech import pool, russian
from ivr.speech.worker import Worker
from ivr.speech.worker_wire import Kind, Packet
from tools.speech_model import asked
from tools.speech_model.espeak import Espeak
from tools.speech_model.evaluate import distance, spoken
from tools.speech_model.words import VOCABULARY, pseudo_word

OPERATOR = "«оператор», anywhere"
TOPIC = "consultation: topic"
MEASURED = ("yes/no", "menu", "status.menu", "benefits.more", "receipt's number", "SNILS", "date", TOPIC)
TITLE = "Answers by voices that were kept out of the training, in percent; A-law, 8 kHz"
HEADINGS = {"words_wrong": "words wrong", "said_back": "said back", "others": "others taken"}
_PATIENCE_FRAMES = 100
_PAST_DAYS = 1000


class Outcome(Enum):
    """What becomes of an answer."""

    RIGHT = "right"
    AGAIN = "again"  # the caller is asked once more, or says no to «Вы сказали …?»
    WRONG = "wrong"  # taken for another answer, and nobody asks


@dataclass(frozen=True, kw_only=True)
class Question:
    """One that may be answered by voice."""

    name: str
    spoken: Spoken
    text: Callable[[Random], str]
    """Something that is an answer."""
    plausible: Callable[[str], bool] = lambda _answer: True
    """Whether the flow goes on with such an answer, right or not."""


def questions() -> Iterator[Question]:
    known = asked.questions()
    texts: Mapping[str, Callable[[Random], str]] = {
        "receipt's number": _number,
        "SNILS": lambda chance: russian.snils(_snils(chance)),
        "date": lambda chance: russian.date_of(asked.TODAY - timedelta(days=chance.randrange(_PAST_DAYS))),
    }
    for name in MEASURED:
        said = texts.get(name, _one_of(known[name]))
        plausible = {"plausible": snils.is_valid} if name == "SNILS" else {}
        yield Question(name=name, spoken=known[name], text=said, **plausible)
    anywhere = tuple(grammars.OPERATOR.phrases)
    yield Question(name=OPERATOR, spoken=known[TOPIC], text=lambda chance: chance.choice(anywhere))


def _one_of(spoken: Spoken) -> Callable[[Random], str]:
    """A phrase of the grammar that is an answer."""
    sayable = [
        p for p in spoken.grammar.phrases if asked.spelled_out(p.split()) and spoken.understand(words(p))
    ]
    return lambda chance: chance.choice(sayable)


def _number(chance: Random) -> str:
    """Two to twelve digits in groups."""
    groups = [
        "".join(chance.choices("0123456789", k=chance.randint(1, 3))) for _ in range(chance.randint(2, 4))
    ]
    return ", ".join(russian.group_in_words(group) for group in groups)


def _snils(chance: Random) -> str:
    nine = f"{chance.randrange(snils.UNCHECKED + 1, 10**9):09}"
    return nine + snils.check_digits(nine)


# --- what is heard ---


class Listener:
    """One model, turn by turn as in a call."""

    def __init__(self, model: Path) -> None:
        SetLogLevel(-1)
        self._worker = Worker(Model(str(model)))

    def turns(self, grammar: Grammar, frames: Sequence[bytes]) -> Iterator[Heard]:
        """What the pool would hand on of this sound and of the quiet after it."""
        self._worker.take(Packet(0, Kind.RESET, phrases(grammar)))
        for frame in (*frames, *[QUIET_FRAME] * _PATIENCE_FRAMES):
            answer = self._worker.take(Packet(0, Kind.AUDIO, frame))
            if answer is not None and answer.kind is Kind.RESULT:
                yield pool.heard(answer.data)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What the line takes it for."""

    answer: str | None
    """None: no answer."""
    score: int = 0


def taken(spoken: Spoken, turns: Sequence[Heard]) -> Taken:
    """As ivr/answering.py: turn by turn until the answer is whole."""
    said: tuple[str, ...] = ()
    score, answer = 100, None
    for turn in turns:
        said, score = said + turn.words, min(score, turn.score)
        if wants_operator(said):
            return Taken(answer=OPERATOR, score=score)
        meant = spoken.understand(said) if said else None
        if meant is None:
            return Taken(answer=None)
        answer = meant.answer if meant.enough else None
        if meant.whole:
            break
    return Taken(answer=answer, score=score)


# --- rates ---


def table(model: Path, *, utterances: int, seed: int = 7) -> Table:
    """A row for each question and kind of line."""
    listener, synthesiser = Listener(model), Espeak()
    rows = [
        _row(listener, synthesiser, question, hard, utterances, seed)
        for question in questions()
        for hard in (False, True)
    ]
    return Table(title=TITLE, rows=rows, headings=HEADINGS, names=("what", "line"))


def _row(
    listener: Listener, synthesiser: Espeak, question: Question, hard: bool, count: int, seed: int
) -> dict[str, Any]:
    chance = Random(seed)  # noqa: S311 - nothing secret
    counted = Counts()
    grammar = grammars.with_common(question.spoken.grammar)

    def heard(text: str) -> list[Heard]:
        sound = spoken(synthesiser, text, chance, hard, seed)
        return list(listener.turns(grammar, frames_of(sound)))

    for _ in range(count):
        text = question.text(chance)
        counted.add(question, text, heard(text))
    known = {word for phrase in grammar.phrases for word in phrase.split()}
    for _ in range(count):
        counted.add_other(question, heard(_other(chance, known)))
    return {"what": question.name, "line": "hard" if hard else "clean", **counted.percent()}


def _other(chance: Random, known: set[str]) -> str:
    """What is no answer: words that might be Russian, or words of other questions."""
    if chance.random() < 0.5:
        return " ".join(pseudo_word(chance) for _ in range(chance.randint(1, 2)))
    return " ".join(
        chance.choices([word for word in VOCABULARY if word not in known], k=chance.randint(1, 2))
    )


class Counts:
    """Of one question on one kind of line."""

    def __init__(self, confidence: int = Hearing.confidence) -> None:
        self._confidence = confidence
        self._words = self._words_wrong = self._said_back = self._others = self._others_taken = 0
        self._outcomes: Counter[Outcome] = Counter()

    def add(self, question: Question, text: str, turns: Sequence[Heard]) -> None:
        """Something that is an answer was said and heard."""
        expected = taken(question.spoken, [Heard(text=text.replace(",", ""), score=100)])
        found = taken(question.spoken, turns)
        wanted = words(text)
        self._words += len(wanted)
        self._words_wrong += distance(wanted, [word for turn in turns for word in turn.words])
        if found.answer is None or not question.plausible(found.answer):
            self._outcomes[Outcome.AGAIN] += 1
            return
        said_back = self._is_said_back(question, found)
        wrong = Outcome.AGAIN if said_back else Outcome.WRONG
        self._outcomes[Outcome.RIGHT if found.answer == expected.answer else wrong] += 1
        self._said_back += said_back

    def add_other(self, question: Question, turns: Sequence[Heard]) -> None:
        """Something that is no answer was said and heard."""
        found = taken(question.spoken, turns)
        wanted = (found.answer == OPERATOR) == (question.name == OPERATOR)
        plausible = found.answer is not None and question.plausible(found.answer)
        self._others += 1
        self._others_taken += wanted and plausible and not self._is_said_back(question, found)

    def _is_said_back(self, question: Question, found: Taken) -> bool:
        """Whether the caller hears «Вы сказали …»; for «оператор» half of the certainty is enough."""
        limit = self._confidence / 2 if found.answer == OPERATOR else self._confidence
        always = question.spoken.told_back != "unsure" and found.answer != OPERATOR
        return always or found.score < limit

    def percent(self) -> dict[str, Any]:
        said = self._outcomes.total()
        return {
            "said": said,
            "words_wrong": _percent(self._words_wrong, self._words),
            **{outcome.value: _percent(self._outcomes[outcome], said) for outcome in Outcome},
            "said_back": _percent(self._said_back, said),
            "others": _percent(self._others_taken, self._others),
        }


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
