"""What a caller's words are to a question: an answer, its beginning, a doubt, a wish for an operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum

from ivr import grammars
from ivr.attention import Attention
from ivr.domain.errors import OperatorWanted
from ivr.domain.spoken import yes_or_no
from ivr.domain.words import wants_operator
from ivr.hearing import Ear
from ivr.ports import Heard, Prompt, Question, Said, Spoken
from ivr.speaking import Tell

Pose = Callable[[Question], Awaitable[None]]
_OPERATOR = Said(answer="0", words="оператор")


class No(Enum):
    """Why there is no answer yet, and the question is put again."""

    AGAIN = "again"  # a key has come instead, or the caller wants to hear it once more
    FAILED = "failed"  # what was said is no answer
    LOST = "lost"  # the recogniser died of it


class Answering:
    """Of one conversation. Nothing that is said is ever told or logged, only how it went."""

    def __init__(self, attention: Attention, ear: Ear, *, pose: Pose, tell: Tell) -> None:
        self._attention = attention
        self._ear = ear
        self._pose = pose
        self._tell = tell

    async def said(self, question: Question, heard: Heard) -> Said | No:
        """The answer; or why the question is to be put again, by whatever ways are left to answer it.

        Raises OperatorWanted, and what else a question raises.
        """
        prompt, spoken = question.prompt, question.spoken
        if spoken is None or self._ear.keys_only:
            self._only_operator(prompt, heard)
            return No.AGAIN
        meant, score = await self._meant(spoken, heard)
        sure = self._ear.sure(score, operator=meant is _OPERATOR)
        if isinstance(meant, Said) and _is_told_back(meant, spoken, sure):
            self._tell("speech", prompt.id, "told_back")
            meant = meant if await self._is_right(meant) else No.FAILED
        if meant is No.AGAIN:
            return meant
        result = meant.value if isinstance(meant, No) else "recognised" if sure else "unsure"
        self._ear.note(spoken.grammar.family or spoken.grammar.name, result)
        self._tell("speech", prompt.id, "operator" if meant is _OPERATOR else result)
        if meant is _OPERATOR:
            raise OperatorWanted
        return replace(meant, sure=sure) if isinstance(meant, Said) else meant

    def _only_operator(self, prompt: Prompt, heard: Heard) -> None:
        """All that is listened for; whatever else is said is nothing."""
        if wants_operator(heard.words) and self._ear.sure(heard.score, operator=True):
            self._tell("speech", prompt.id, "operator")
            raise OperatorWanted

    async def _meant(self, spoken: Spoken, heard: Heard) -> tuple[Said | No, int]:
        """What is meant by this and what is said after it, and the lowest score."""
        words, score = heard.words, heard.score
        if not heard.text:
            return No.LOST, score
        while True:
            if wants_operator(words):
                return _OPERATOR, score
            meant = spoken.understand(words) if words else None
            if meant is None:
                return No.AGAIN if grammars.means_repeat(words) else No.FAILED, score
            if meant.whole:
                return meant, score
            more = await self._more(meant)
            if isinstance(more, str):
                self._attention.put_back(more)
                return No.AGAIN, score
            if more is None:
                return meant, score
            if not more.text:
                return No.LOST, score
            words, score = words + more.words, min(score, more.score)

    async def _more(self, begun: Said) -> str | Heard | None:
        """What follows; None when the answer is complete without it."""
        if begun.enough:
            return await self._attention.next_within(self._ear.pause)
        return await self._attention.next_digit(begun=True)

    async def _is_right(self, meant: Said) -> bool:
        """Ask the caller, once."""
        prompt = Prompt.of("speech.confirm", heard=meant.words)
        await self._pose(Question(prompt=prompt, keys="", spoken=grammars.yes_no(prompt.voiced)))
        answer = await self._attention.next_answer()
        if isinstance(answer, Heard):
            if wants_operator(answer.words):
                raise OperatorWanted
            return yes_or_no(answer.words) is True
        self._tell("key", prompt.id, answer if answer in "012*" else "wrong")
        if answer == "0":
            raise OperatorWanted
        return answer == grammars.YES_KEY


def _is_told_back(meant: Said, spoken: Spoken, sure: bool) -> bool:
    if meant is _OPERATOR or spoken.told_back == "unsure":
        return not sure
    return spoken.told_back == "always"
