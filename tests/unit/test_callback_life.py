"""The life of callbacks against a model of the world, with a crash between any two steps.

The model knows what really happened on the telephone; the engine knows what it has written down. Whatever
dies in between, nobody is called twice at once, nor after having been talked with, nor too often, nor at
night, and nobody is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ivr.domain.callback import LEG_STATES, OPEN_STATES, PENDING_STATES, Source, State
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import BadInput
from ivr.services.audit import By
from ivr.services.calendar import calendar_of
from ivr.services.callbacks import run_now
from tests.unit.callback_world import FREE, World

NUMBERS = [f"+7343200000{n}" for n in range(5)]
OUTCOMES = st.sampled_from(
    [ContactOutcome.BUSY, ContactOutcome.NO_ANSWER, ContactOutcome.INVALID, ContactOutcome.MACHINE]
)
CRASH = st.one_of(st.none(), st.integers(0, 6))
"""After how many steps the engine is killed; None: it lives."""
SOURCES = st.sampled_from([Source.QUEUE, Source.CLOSED, Source.CRASH, Source.AGREED])
LONG = timedelta(days=20)
"""By then every promise must have been kept or given up."""


class Callbacks(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = World()
        self.seen: dict[str, State] = {}
        self.calendar = calendar_of(self.world.engine.settings, ())

    def wait(self, work: Coroutine[Any, Any, object]) -> None:
        self.loop.run_until_complete(work)

    def live(self, work: Any, killed_after: int | None) -> None:
        self.wait(self.world.live(work, killed_after=killed_after))

    def pick(self, chance: int, *, citizen: str) -> str:
        calls = sorted(c for c, call in self.world.calls.items() if call.citizen == citizen)
        return calls[chance % len(calls)]

    def any_call(self, citizen: str) -> bool:
        return any(call.citizen == citizen for call in self.world.calls.values())

    # --- what the engine does ---

    @rule(crash=CRASH)
    def dials(self, crash: int | None) -> None:
        self.live(self.world.engine.turn, crash)

    @rule(crash=CRASH)
    def looks(self, crash: int | None) -> None:
        self.live(self.world.engine.legs.look, crash)

    @precondition(lambda self: self.world.told)
    @rule(chance=st.integers(0, 9), crash=CRASH)
    def reads_the_journal(self, chance: int, crash: int | None) -> None:
        call = sorted(self.world.told)[chance % len(self.world.told)]
        self.live(lambda: self.world.read_journal(call), crash)

    # --- what happens to it ---

    @precondition(lambda self: self.is_open())
    @rule(seconds=st.sampled_from([1, 20, 40, 100, 900, 3600]))
    def time_passes(self, seconds: int) -> None:
        """Journals are read within a second of their lines; only so is it known whom we talked with."""
        if seconds > 20:
            for call in sorted(self.world.told):
                self.wait(self.world.read_journal(call))
        self.world.clock.forward(seconds)

    @precondition(lambda self: not self.is_open())
    @rule(before=st.sampled_from([-1, 0, 3600]))
    def the_morning_comes(self, before: int) -> None:
        opening = self.calendar.next_opening(self.world.clock.now())
        assert opening is not None
        left = (opening - self.world.clock.now()).total_seconds()
        self.time_passes(max(1, int(left) - before))

    def is_open(self) -> bool:
        return self.calendar.is_open(self.world.clock.now())

    @rule(number=st.sampled_from(NUMBERS), source=SOURCES, ago=st.integers(0, 3600))
    def a_citizen_is_promised_a_call(self, number: str, source: Source, ago: int) -> None:
        arrived = self.world.clock.now() - timedelta(seconds=ago)
        id_ = f"{len(self.world.callbacks()):026}"  # no chance but hypothesis's own
        callback = self.world.engine.promise(id=id_, number=number, source=source, arrived_at=arrived)
        self.world.numbers[callback.id] = number

    @precondition(lambda self: self.any_waiting())
    @rule(chance=st.integers(0, 9), crash=CRASH)
    def an_operator_answers(self, chance: int, crash: int | None) -> None:
        call = self.pick(chance, citizen="")
        self.live(lambda: self.world.operator_answers(call), crash)

    def any_waiting(self) -> bool:
        return self.any_call("")

    @precondition(lambda self: self.is_open())
    @rule(number=st.sampled_from(NUMBERS), chance=st.integers(0, 9), crash=CRASH)
    def somebody_is_being_called(self, number: str, chance: int, crash: int | None) -> None:
        """The usual course of things, so that the rules above and below find a leg."""
        self.a_citizen_is_promised_a_call(number, Source.QUEUE, 0)
        self.dials(None)
        self.time_passes(40)
        self.dials(crash)
        if self.any_waiting():
            self.an_operator_answers(chance, None)

    @precondition(lambda self: self.world.callbacks())
    @rule(chance=st.integers(0, 9))
    def an_administrator_hurries(self, chance: int) -> None:
        ids = sorted(callback.id for callback in self.world.callbacks())
        engine, by = self.world.engine, By(actor="cli:anna", at=self.world.clock.now())
        with self.world.store.outside() as uow, suppress(BadInput):
            run_now(uow, by, ids[chance % len(ids)], engine.settings)

    @precondition(lambda self: self.any_waiting())
    @rule(chance=st.integers(0, 9))
    def a_leg_ends_without_anybody(self, chance: int) -> None:
        self.world.over(self.pick(chance, citizen=""), None)

    @precondition(lambda self: self.any_call("rings"))
    @rule(chance=st.integers(0, 9), outcome=OUTCOMES)
    def a_citizen_is_not_reached(self, chance: int, outcome: ContactOutcome) -> None:
        self.world.over(self.pick(chance, citizen="rings"), outcome)

    @precondition(lambda self: self.any_call("rings"))
    @rule(chance=st.integers(0, 9))
    def a_citizen_talks(self, chance: int) -> None:
        self.world.calls[self.pick(chance, citizen="rings")].citizen = "talks"

    @precondition(lambda self: self.any_call("talks"))
    @rule(chance=st.integers(0, 9))
    def a_talk_ends(self, chance: int) -> None:
        call = self.pick(chance, citizen="talks")
        self.world.talked.add(self.world.calls[call].leg.callback)
        self.world.over(call, ContactOutcome.SERVED)

    @rule(journals=st.booleans())
    def asterisk_is_killed(self, journals: bool) -> None:
        self.world.asterisk_dies(with_journals=journals)

    @rule(chance=st.integers(0, 9), state=st.sampled_from([State.CANCELLED, State.SUPERSEDED]))
    def a_promise_is_withdrawn(self, chance: int, state: State) -> None:
        able = sorted(c.id for c in self.world.callbacks() if c.open and c.state is not State.TALKING)
        if able:
            with self.world.store.outside() as uow:
                uow.callbacks.save(uow.callbacks.get(able[chance % len(able)]).move(state))

    # --- what must hold ---

    @invariant()
    def nobody_is_called_too_often(self) -> None:
        for callback in self.world.callbacks():
            times = [at for id_, at in self.world.invites if id_ == callback.id]
            assert len(times) <= len(callback.attempts)
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert all(gap >= timedelta(minutes=15) for gap in gaps)
            days = [at.astimezone(self.world.engine.rules.zone).date() for at in times]
            assert all(days.count(day) <= 3 for day in days)

    @invariant()
    def nobody_is_called_while_the_line_is_closed_or_at_night(self) -> None:
        for _, at in self.world.invites:
            local = at.astimezone(self.world.engine.rules.zone)
            assert 9 <= local.hour < 18
            assert local.weekday() < 5

    @invariant()
    def there_are_no_more_legs_than_one_more_than_free_operators(self) -> None:
        assert sum(callback.state in LEG_STATES for callback in self.world.callbacks()) <= FREE + 1

    @invariant()
    def a_number_has_one_open_callback(self) -> None:
        numbers = [callback.number for callback in self.world.callbacks() if callback.open]
        assert len(numbers) == len(set(numbers))

    @invariant()
    def what_is_over_stays_over(self) -> None:
        for callback in self.world.callbacks():
            before = self.seen.get(callback.id, State.REQUESTED)
            assert before in OPEN_STATES or callback.state is before
            self.seen[callback.id] = callback.state

    @invariant()
    def done_is_who_was_talked_with(self) -> None:
        for callback in self.world.callbacks():
            if callback.state is State.DONE:
                assert callback.id in self.world.talked

    def teardown(self) -> None:
        """The world becomes kind: citizens answer, nothing dies. Then every promise is kept or given up."""
        end = self.world.clock.now() + LONG
        while any(callback.open for callback in self.world.callbacks()):
            assert self.world.clock.now() < end, "somebody was forgotten"
            self.be_kind()
            self.world.clock.forward(self.pause())
        self.loop.close()

    def be_kind(self) -> None:
        self.dials(None)
        while self.any_call(""):
            self.an_operator_answers(0, None)
        while self.any_call("rings"):
            self.a_citizen_talks(0)
        while self.any_call("talks"):
            self.a_talk_ends(0)
        while self.world.told:
            self.reads_the_journal(0, None)
        self.looks(None)
        self.nobody_is_called_too_often()

    def pause(self) -> float:
        """Until the next one is due, or the watch over the legs has waited."""
        now = self.world.clock.now()
        due = [callback.due for callback in self.world.callbacks() if callback.state in PENDING_STATES]
        return max(20.0, (min(due, default=now) - now).total_seconds())


TestLife = Callbacks.TestCase
TestLife.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
