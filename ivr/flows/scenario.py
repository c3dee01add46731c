"""A caller in a dialogue scenario (§9.3): asks, tells, looks up, hands over with what was understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import NotUnderstood, OperatorWanted
from ivr.flows.desk import Desk
from ivr.flows.lookups import Identity, look_up
from ivr.flows.queueing import hand_over
from ivr.ports import Call, Grammar, Keyed, Prompt, Question, Said, Spoken, UnitOfWork
from ivr.scenarios import (
    Ask,
    Choice,
    End,
    HandOver,
    LookUp,
    Position,
    Scenario,
    Step,
    begin,
    chosen,
    for_operator,
    given_up,
    looked_up,
)
from ivr.scenarios.fitting import heard_as
from ivr.scenarios.hearing import understand
from ivr.scenarios.walking import MOST_FAILURES
from ivr.services.scenario_prompts import asked, wording

QUESTIONS = "Консультация: {}."
"""What the operator reads on the card (§15)."""


async def play(call: Call, desk: Desk, scenario: Scenario, *, number: int) -> None:
    """From the first question to a hand-over or the last words. number: of the scenario's version.

    Silence, a hang-up and what fails end it as anywhere on the line; a wish for an operator leads where the
    scenario says.
    """
    await _Visit(call=call, desk=desk, scenario=scenario, number=number).whole()


@dataclass(kw_only=True)
class _Visit:
    """One caller's way through one version of a scenario."""

    call: Call
    desk: Desk
    scenario: Scenario
    number: int
    who: Identity = field(default_factory=Identity)

    async def whole(self) -> None:
        step = begin(self.scenario)
        while True:
            await self._tell(step)
            match step.state:
                case Ask() as asks:
                    step = await self._ask(step.at, asks)
                case LookUp() as looks_up:
                    step = await self._look_up(step.at, looks_up)
                case HandOver() as hands_over:
                    return await self._hand_over(step.at, hands_over)
                case End() as ends:
                    return await self._end(step.at, ends)

    def _prompt(self, state: str, text: str) -> Prompt:
        return wording(self.scenario, state, text)

    # --- telling ---

    async def _tell(self, step: Step) -> None:
        """The answers on the way; the next words are made while they are heard."""
        told = [self._prompt(name, text) for name, text in zip(step.told, step.says, strict=False)]
        for prompt, following in zip(told, (*told[1:], self._last_words(step)), strict=False):
            await self.call.say(prompt, then=following)
            self.call.outcome = ContactOutcome.SELF_SERVICE

    def _last_words(self, step: Step) -> Prompt | None:
        """What is said where the step ends; None: that is not known yet."""
        match step.state:
            case Ask() as asks:
                return self._question(step.at.state, asks).prompt
            case HandOver(hand_over=text) | End(end=text):
                return self._prompt(step.at.state, text)
        return None

    async def _end(self, at: Position, state: End) -> None:
        self.call.outcome = ContactOutcome.SELF_SERVICE
        await self.call.say(self._prompt(at.state, state.end), whole=True)
        await self.call.finish()

    # --- asking ---

    async def _ask(self, at: Position, state: Ask) -> Step:
        try:
            answer = await self.call.ask(self._question(at.state, state))
        except NotUnderstood:
            return given_up(self.scenario, at)
        except OperatorWanted:
            return for_operator(self.scenario, at)
        return chosen(self.scenario, at, _choice(state, answer))

    def _question(self, name: str, state: Ask) -> Question:
        by_keys, aloud, again = asked(self.scenario, name, state)
        return Question(
            prompt=by_keys,
            keys="".join(choice.key for choice in state.choices if choice.key is not None),
            again=None if state.by_keys else again,
            tries=MOST_FAILURES,
            spoken=Spoken(
                grammar=self._grammar(name, state),
                understand=lambda words: _said(state, words),
                prompt=aloud,
                again=again,
            ),
        )

    def _grammar(self, name: str, state: Ask) -> Grammar:
        phrases = dict.fromkeys(phrase for choice in state.choices for phrase in heard_as(choice))
        title = "-".join((self.scenario.scenario, str(self.number), name)).replace("_", "-")
        return Grammar(name=title, phrases=tuple(phrases), family=self.scenario.scenario)

    # --- looking up ---

    async def _look_up(self, at: Position, state: LookUp) -> Step:
        try:
            result = await look_up(self.call, self.desk, state, self.who)
        except OperatorWanted:
            return for_operator(self.scenario, at)
        return looked_up(self.scenario, at, result)

    # --- handing over ---

    async def _hand_over(self, at: Position, state: HandOver) -> None:
        words = self._prompt(at.state, state.hand_over)
        self.call.asked_ahead(words)  # a key that cut an answer short must not answer these words
        if at.understood:
            await self.desk.write_down(self.call, lambda uow: self._note(uow, at.understood))
        await hand_over(
            self.call, self.desk, agency=state.agency, line=state.line, topic=state.topic, words=words
        )

    def _note(self, uow: UnitOfWork, understood: Sequence[str]) -> None:
        own = uow.cards.get(self.call.enquiry).questions
        questions = QUESTIONS.format("; ".join(understood))
        uow.cards.change(self.call.enquiry, questions="\n".join(filter(None, (own, questions))))


def _said(state: Ask, words: Sequence[str]) -> Said | None:
    """Which choice was meant, by its place; said back as the phrase of it that was said."""
    found = understand(state.choices, words)
    return None if found is None else Said(answer=str(state.choices.index(found[0])), words=found[1])


def _choice(state: Ask, answer: Keyed | Said) -> Choice:
    if isinstance(answer, Said):
        return state.choices[int(answer.answer)]
    return next(choice for choice in state.choices if choice.key == answer.key)
