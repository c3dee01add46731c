"""The words of dialogue scenarios as prompts, made before anybody calls."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.domain.errors import BadInput
from ivr.ports import Prompt, Prompts, Store
from ivr.scenarios import Answer, Ask, End, HandOver, Scenario
from ivr.services.scenario_shelf import Shelf
from ivr.services.scenarios import CONSULTATION

AGAIN, VOICE = "again", "voice"
"""Kinds of a question's wordings: after what was no answer; where the caller may speak."""


def wording(scenario: Scenario, state: str, text: str, *kind: str) -> Prompt:
    """`scenario.NAME.STATE`, with a kind behind it where a state has several."""
    return Prompt.of(".".join(("scenario", scenario.scenario, state, *kind)), text=text)


def asked(scenario: Scenario, state: str, ask: Ask) -> tuple[Prompt, Prompt, Prompt]:
    """A question by keys alone, the same where the caller may speak, and after what was no answer."""
    again = wording(scenario, state, ask.again, AGAIN)
    if ask.by_keys is None:
        both = wording(scenario, state, ask.ask)
        return both, both, again
    return wording(scenario, state, ask.by_keys), wording(scenario, state, ask.ask, VOICE), again


def every(scenario: Scenario) -> Iterator[Prompt]:
    """In the order of the file."""
    for name, state in scenario.states.items():
        match state:
            case Ask():
                by_keys, aloud, again = asked(scenario, name, state)
                yield from (by_keys, again) if aloud is by_keys else (by_keys, aloud, again)
            case Answer(answer=text) | HandOver(hand_over=text) | End(end=text):
                yield wording(scenario, name, text)


class Preparation:
    """Has the words of what is in force made; a caller who is faster waits for those needed first."""

    def __init__(self, store: Store, shelf: Shelf, prompts: Prompts) -> None:
        self._store = store
        self._shelf = shelf
        self._prompts = prompts
        self._made = ""
        """Sum of the text whose words are made."""

    async def work(self) -> None:
        """Raises StorageDown, Unavailable, and BadInput for a version that this program does not take."""
        version = await self._store.run(lambda uow: uow.scenarios.in_force(CONSULTATION))
        if version is None or version.sha256 == self._made:
            return
        scenario = await self._shelf.scenario(version)
        if scenario is None:
            which = f"version {version.number} of {CONSULTATION}"
            raise BadInput(f"{which} is in force and none for this program: key 3 asks for imported topics")
        for prompt in every(scenario):
            await self._prompts.audio(prompt)
        self._made = version.sha256
