"""Where a channel becomes a conversation, and where it is written down how the conversation ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from ivr.dialogue import Dialogue
from ivr.domain import phone
from ivr.domain.callback import leg_call
from ivr.domain.errors import StorageDown
from ivr.flows.desk import Desk
from ivr.hearing import Hearing
from ivr.observe import get_logger
from ivr.patience import Patience
from ivr.ports import Call, CallFacts, Channel, Prompts, UnitOfWork
from ivr.services.traces import TraceLog

MENU_SECONDS = 20.0
"""How long an operator may think in a menu while the citizen hears music."""
_log = get_logger("ivr.office")


class Office:
    """All conversations of one engine."""

    def __init__(
        self, desk: Desk, *, prompts: Prompts, traces: TraceLog, node: str, hearing: Hearing | None = None
    ) -> None:
        """hearing: how citizens are listened to; None: by keys alone."""
        self._hearing = hearing
        self.desk = desk
        self.node = node
        self._prompts = prompts
        self._traces = traces
        self._in_hand: dict[str, int] = {}

    @property
    def calls(self) -> int:
        """In the hands of the engine now."""
        return len(self._in_hand)

    def in_hand(self, call: str) -> bool:
        """Whether this call's conversation is not over and written down yet."""
        return call in self._in_hand

    async def talk(
        self,
        channel: Channel,
        flow: Callable[[Call, CallFacts], Awaitable[None]],
        *,
        call: str = "",
        facts: CallFacts | None = None,
    ) -> None:
        """Run a flow of a citizen's call; whatever ends it, the contact gets the outcome it has come to.

        call: uniqueid of the callback's leg that has led to this channel. facts: where the channel has none.
        """
        id_ = call or leg_call(channel.id) or channel.id
        with self._holding(id_):
            facts = facts or await channel.facts()
            conversation = self.conversation(channel, facts, id_=id_, hearing=self._hearing)
            try:
                await flow(conversation, facts)
            finally:
                conversation.close()
                await self._record(conversation)

    async def operators_menu(self, channel: Channel) -> Dialogue:
        """A menu on an operator's leg in the middle of a talk: who does not answer it wants the talk back."""
        settings = self.desk.settings
        patience = Patience(silence=MENU_SECONDS, digit=settings.digit_seconds, reminders=False)
        return self.conversation(channel, await channel.facts(), patience)

    def conversation(
        self,
        channel: Channel,
        facts: CallFacts,
        patience: Patience | None = None,
        *,
        id_: str = "",
        hearing: Hearing | None = None,
    ) -> Dialogue:
        """The verbs over a channel, by default with this site's patience and by keys alone.

        id_: of the call if not its own. Who hears is to `close` it.
        """
        settings = self.desk.settings
        call = Dialogue(
            channel,
            prompts=self._prompts,
            clock=self.desk.clock,
            patience=patience or Patience(silence=settings.silence_seconds, digit=settings.digit_seconds),
            tell=self._traces.teller(id_ or channel.id),
            number=phone.from_trunk(facts.number),
            arrived_at=facts.arrived_at,
            id_=id_,
            hearing=hearing,
        )
        call.enquiry = facts.enquiry
        return call

    @contextmanager
    def _holding(self, call: str) -> Iterator[None]:
        self._in_hand[call] = self._in_hand.get(call, 0) + 1
        try:
            yield
        finally:
            self._in_hand[call] -= 1
            if not self._in_hand[call]:
                del self._in_hand[call]

    async def _record(self, call: Call) -> None:
        """A database that is down leaves the contact to the journals, which tell less but lose nobody."""
        outcome = call.outcome
        if outcome is None:
            return

        def note(uow: UnitOfWork) -> None:
            if not call.enquiry:
                self.desk.card_of(uow, call)
            contact = uow.cards.contact(call.id)
            if contact is not None and contact.outcome is None:
                uow.cards.change_contact(call.id, outcome=outcome)

        try:
            await self.desk.store.run(note)
        except StorageDown as error:
            _log.error("outcome_unwritten", call=call.id, reason=str(error))
