"""How long a caller may think, and what is said meanwhile (§19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ivr.ports import Prompt

REMINDERS = (12 / 60, 25 / 60, 40 / 60)
"""When the reminders come, in parts of the silence limit."""


class Reminder(NamedTuple):
    """Something that is said to who is silent."""

    at: float
    """Seconds since the silence clock started."""
    prompt: Prompt


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a caller may think; seconds."""

    silence: float = 60.0
    """More than this after the end of a question ends the service (§19)."""
    digit: float = 6.0
    """Between two digits of one answer, before the caller is encouraged to go on."""
    wrong: int = 3
    """Wrong answers to one question before an operator takes over."""
    reminders: bool = True
    """Whether who is silent is spoken to; an operator in a menu is not."""

    @property
    def calm(self) -> float:
        """Seconds after a question in which nothing is said in any case."""
        return min(3.0, REMINDERS[0] * self.silence)

    def reminded(self, *, digits: bool, begun: bool = False, by_voice: bool = False) -> list[Reminder]:
        """What is said while an answer is awaited, soonest first. digits: of a number that may have begun."""
        said: list[Reminder] = []
        if self.reminders:
            stages = [Prompt.of("silence.reminder", stage=n, digits=digits) for n in (1, 2, 3)]
            stages = [prompt.voiced for prompt in stages] if by_voice else stages
            said += map(Reminder, (part * self.silence for part in REMINDERS), stages)
        if begun:
            said.append(Reminder(self.digit, Prompt.of("no_input")))
        return sorted(said, key=lambda reminder: reminder.at)
