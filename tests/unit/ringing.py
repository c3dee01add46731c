"""A whole line in memory: the real scripts, office, flows and dialogue over fake channels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

from agi_scripts.line import after_queue_, line
from ivr.asterisk.agi import AgiChannel
from ivr.domain.callback import Callback
from ivr.domain.enquiry import Application, Card, ContactOutcome
from ivr.domain.errors import CallerHungUp
from ivr.domain.menu import Topic
from ivr.flows.desk import Desk
from ivr.flows.office import Office
from ivr.hearing import Hearing
from ivr.ports import KEYS, AuditRow, CallFacts, DayException, LeftQueue, TraceEvent
from ivr.resources.embedded import EmbeddedResource
from ivr.services.guesses import GuessGuard
from ivr.services.identification import Identification
from ivr.services.names import NameCheck
from ivr.services.traces import TraceLog
from ivr.settings import Settings
from ivr.testing import (
    START,
    FakeChannel,
    FakeDistributor,
    FakePrompts,
    FakeRecogniser,
    MemoryStore,
    VirtualClock,
)
from tests.unit.scripted import Codes

MINE = "+79123456789"
SNILS = "11223344595"
WORK = Topic(agency="szn", agency_name="Центр занятости", key="1", title="Работа", line=1)
CHILDREN = Topic(agency="soc", agency_name="Соцзащита", key="21", title="Детские пособия", line=2)
HOUSING = Topic(agency="soc", agency_name="Соцзащита", key="22", title="Жильё", line=1)
RECEIPT = Application(
    snils=SNILS,
    number="56-000123",
    accepted_on=date(2026, 11, 2),
    agency="soc",
    service="Субсидия",
    status="на рассмотрении",
)
PAIR = "56000123#02112026"
"""Number and date of `RECEIPT` as they are typed."""
EVENING = datetime.fromisoformat("2026-11-24T19:30:00+05:00")
MORNING = datetime.fromisoformat("2026-11-25T09:00:00+05:00")


class Board:
    """Alarms that stand, by key."""

    def __init__(self) -> None:
        self.standing: dict[str, str] = {}

    def set(self, key: str, what: str, remedy: str, now: datetime) -> None:
        self.standing[key] = what

    def clear(self, key: str) -> None:
        self.standing.pop(key, None)


class RingingChannel(FakeChannel):
    """A fake channel during whose prompts something else happens: `deeds` by prompt id, each done once."""

    deeds: dict[str, Callable[[], None]]

    async def play(self, audio: Path, *, stop_on: str = KEYS) -> str | None:
        self.deeds.pop(audio.stem, lambda: None)()
        return await super().play(audio, stop_on=stop_on)


class Line:
    """One engine's conversations. settings: those of ivr/settings that differ from the defaults.

    listens: callers may speak; else they answer by keys alone.
    """

    def __init__(self, *, now: datetime = START, listens: bool = False, **settings: Any) -> None:
        self.clock = VirtualClock(now)
        self.store = MemoryStore()
        self.alarms = Board()
        self.prompts = FakePrompts(self.clock)
        self.distributor = FakeDistributor()
        self.traces = TraceLog(self.store, self.clock)
        self.unknown: set[str] = set()
        """Words that the model does not know."""
        self.unknown_error: Exception | None = None
        self._calls = count(1)
        chosen = Settings(**settings)
        self.desk = Desk(
            store=self.store,
            clock=self.clock,
            settings=chosen,
            resources=EmbeddedResource(self.store),
            distributor=self.distributor,
            guesses=GuessGuard.of(chosen, self.store, self.clock, self.alarms, sleep=self.clock.sleep),
            identification=Identification.of(chosen, self.store, Codes(), self.clock, self.alarms),
            names=self._names(chosen) if listens and chosen.speech.names_by_voice else None,
        )
        self.recogniser = FakeRecogniser()
        self.office = Office(
            self.desk,
            prompts=self.prompts,
            traces=self.traces,
            node="node1",
            hearing=Hearing(recogniser=self.recogniser) if listens else None,
        )

    def _names(self, chosen: Settings) -> NameCheck:
        async def unknown_words(words: Collection[str]) -> Collection[str]:
            if self.unknown_error is not None:
                raise self.unknown_error
            return self.unknown & set(words)

        return NameCheck.of(chosen, self.store, self.clock, self.alarms, unknown_words)

    def knows(
        self,
        *,
        topics: Sequence[Topic] = (),
        applications: Sequence[Application] = (),
        days: Sequence[DayException] = (),
    ) -> Line:
        """This line with these rows."""
        with self.store.transaction() as uow:
            uow.agencies.upsert(topics)
            uow.applications.upsert(applications)
            for day in days:
                uow.calendar.set(day)
            uow.commit()
        return self

    def ring(self, keys: str = "", *, number: str | None = MINE, **typing: Any) -> RingingChannel:
        """A call that arrives now; keys: typed as `ScriptedCaller.presses` has it."""
        call = f"node1-1764000000.{next(self._calls)}"
        channel = RingingChannel(self.clock, call=call, number=number)
        channel.deeds = {}
        if keys:
            channel.caller.presses(keys, **typing)
        return channel

    async def answers(self, channel: FakeChannel) -> FakeChannel:
        """AGI(…/line), as far as it gets: a hang-up is the server's to catch."""
        with suppress(CallerHungUp):
            await line(cast(AgiChannel, channel), self.office)
        await self.traces.flush()
        return channel

    async def call(self, keys: str = "", **more: Any) -> FakeChannel:
        return await self.answers(self.ring(keys, **more))

    async def gives_back(self, channel: FakeChannel, left: LeftQueue, *, turns: int = 1) -> None:
        """AGI(…/after-queue): the queue did not serve this caller; the channel is used up."""
        self.distributor.reason = left
        with suppress(CallerHungUp):
            await after_queue_(cast(AgiChannel, channel), self.office)
        assert turns == channel.known.turns

    def waiting(
        self,
        keys: str = "",
        *,
        queue: str = "general",
        number: str | None = MINE,
        turns: int = 1,
        card: bool = True,
        **typing: Any,
    ) -> RingingChannel:
        """A caller whom this queue gives back; card: whether the database was there when the call came."""
        channel = self.ring(keys, number=number, **typing)
        enquiry = self._opened(channel) if card else ""
        arrived = channel.known.arrived_at
        channel.known = CallFacts(
            number=number, arrived_at=arrived, enquiry=enquiry, queue=queue, turns=turns
        )
        return channel

    def _opened(self, channel: FakeChannel) -> str:
        with self.store.transaction() as uow:
            facts = channel.known
            card = uow.cards.open(call=channel.id, node="node1", number=facts.number, at=facts.arrived_at)
            uow.commit()
        return card.id

    # --- what came of it ---

    def card(self, channel: FakeChannel) -> Card:
        found = self.store.rows.cards.of_call(channel.id)
        assert found is not None
        return found

    def outcome(self, channel: FakeChannel) -> ContactOutcome | None:
        return self.card(channel).contacts[0].outcome

    @property
    def callbacks(self) -> Sequence[Callback]:
        return self.store.rows.callbacks.list()

    @property
    def audit(self) -> Sequence[AuditRow]:
        return self.store.rows.audit.rows

    def told(self, channel: FakeChannel) -> Sequence[TraceEvent]:
        return [event for _, event in self.store.rows.traces.of_call(channel.id)]


def another(application: Application, **fields: Any) -> Application:
    return replace(application, **fields)
