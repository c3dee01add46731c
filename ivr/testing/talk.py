"""A whole conversation in a test: the real verbs over a fake channel."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.dialogue import Dialogue
from ivr.hearing import Hearing
from ivr.patience import Patience
from ivr.ports import Channel
from ivr.testing.channel import FakeChannel
from ivr.testing.clock import VirtualClock
from ivr.testing.speech import FakePrompts


@dataclass
class Talk:
    """The parts of a conversation, and what was told of it: (kind, id, outcome)."""

    clock: VirtualClock
    channel: FakeChannel
    prompts: FakePrompts
    patience: Patience = field(default_factory=Patience)
    hearing: Hearing | None = None
    told: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        *,
        patience: Patience | None = None,
        number: str | None = "+79123456789",
        hearing: Hearing | None = None,
    ) -> Talk:
        """A call that has just arrived from this number, E.164; the caller does nothing yet.

        hearing: how the line listens; None: it does not.
        """
        clock = VirtualClock()
        channel = FakeChannel(clock, number=number)
        return cls(clock, channel, FakePrompts(clock), patience or Patience(), hearing)

    def __post_init__(self) -> None:
        self.call = self.over(self.channel)
        self.caller = self.channel.caller

    def over(self, channel: Channel) -> Dialogue:
        """The verbs over another channel, with the same clock, prompts and patience."""
        return Dialogue(
            channel,
            prompts=self.prompts,
            clock=self.clock,
            patience=self.patience,
            tell=lambda kind, id_, outcome: self.told.append((kind, id_, outcome)),
            number=self.channel.known.number,
            arrived_at=self.channel.known.arrived_at,
            hearing=self.hearing,
        )
