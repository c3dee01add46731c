"""A system whose trunk leads to called citizens, and callbacks of every source made by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ivr.domain.callback import Callback, Source, State
from ivr.domain.enquiry import ContactOutcome, Outcome
from ivr.domain.ids import new_id
from tests.harness.called import Called, Invited, Manner, after_a_talk, number_of, overlapping
from tests.harness.duty import Duty
from tests.harness.processes import HOST
from tests.harness.system import System
from tests.harness.voices import TO_OPERATORS, tones

TALK = 6.0
"""Seconds: more than what counts as served."""
AGAIN = 4.0
"""Seconds from the end of an attempt to the next one, whatever came of it."""
RING = 46.0
"""Seconds: more than the latest citizen takes to answer."""
_AFTER = ("busy", "no_answer", "machine", "invalid", "too_short", "unknown")
DEAD = 30.0
"""Seconds without any sound, of either side, then a call has died: more than a citizen is let wait in one. (A
called citizen of sipp never says a word.)"""
_SHORT = ("callback.greeting", "callback.privacy", *TO_OPERATORS)
"""Recordings of the site instead of whole sentences: the tests of what is heard are elsewhere."""


def settings(called: Called, folder: Path) -> dict[str, object]:
    """At any hour, at once, and again soon."""
    return {
        "trunk__host": HOST,
        "trunk__port": called.port,
        "prompts_dir": tones(folder, _SHORT),
        "rtp_timeout_seconds": DEAD,
        "phone_rtp_timeout_seconds": DEAD / 2,
        "wrapup_seconds": 1,
        "refused_calls": 9,
        "callbacks__earliest": "00:00",
        "callbacks__latest": "23:59",
        "callbacks__unknown_zone_from": "00:00",
        "callbacks__first_seconds": 0,
        "callbacks__gap_seconds": AGAIN,
        "callbacks__per_day": 50,
        "callbacks__again_seconds": 3,
        "callbacks__ring_seconds": RING,
        "callbacks__operator_seconds": 20,
        **{f"callbacks__{what}_seconds": AGAIN for what in _AFTER},
    }


@dataclass
class Site:
    """One system, its operators and the citizens who are called."""

    system: System
    called: Called
    duty: Duty
    numbers: dict[str, str] = field(default_factory=dict)
    """By callback."""

    # --- promises ---

    def promise(
        self, manner: Manner, source: Source = Source.QUEUE, *, queue: str = "general", operator: str = ""
    ) -> str:
        """A callback that is due now; its id. operator: who is to be rung first."""
        now, number = datetime.now(UTC), number_of(manner)
        with self.system.records.store.transaction() as uow:
            card = uow.cards.register(number=number, at=now)
            uow.cards.close(card.id, outcome=Outcome.CALLBACK, at=now)
            made = uow.callbacks.request(
                Callback(
                    id=new_id(now),
                    card=card.id,
                    number=number,
                    source=source,
                    queue=queue,
                    arrived_at=now,
                    due=now,
                    operator=operator or None,
                )
            )
            uow.commit()
        self.numbers[made.id] = number
        return made.id

    def callback(self, id_: str) -> Callback:
        with self.system.records.store.transaction() as uow:
            return uow.callbacks.get(id_)

    def results(self, id_: str) -> list[str]:
        return [attempt.result for attempt in self.callback(id_).attempts]

    def comes_to(self, id_: str, *states: State, timeout: float = 60.0) -> Callback:
        """Wait until a callback is in one of these states."""
        there = lambda: found if (found := self.callback(id_)).state in states else None  # noqa: E731
        return self.system.wait_for(there, timeout, f"a callback to be {states[0].value}", step=0.1)

    def ended(self, id_: str, result: str, *, times: int = 1, timeout: float = 60.0) -> Callback:
        """Wait until the `times`-th attempt has come to this."""

        def there() -> Callback | None:
            found = self.callback(id_)
            made = found.attempts[times - 1 : times]
            over = found.state not in (State.DIALLING_CITIZEN, State.TALKING)
            return found if made and made[0].result == result and over else None

        try:
            return self.system.wait_for(there, timeout, f"attempt {times} to be {result}", step=0.1)
        except AssertionError as late:
            raise AssertionError(f"{self.callback(id_)}\n{self.called.errors()}\n{late}") from None

    def withdraw(self, id_: str) -> None:
        """No more of this one."""
        self.system.ekc("callbacks", "cancel", id_)

    # --- who talks ---

    def operator_of(self, id_: str) -> str | None:
        """Extension of the operator who came to this citizen last."""
        events = self.system.records.trace(self.callback(id_).call)
        found = [event.id for event in events if (event.kind, event.outcome) == ("bridge", "joined")]
        return found[-1] if found else None

    def serve(self, ids: Sequence[str], *, timeout: float) -> None:
        """Every operator talks for TALK seconds with the citizen and hangs up, until all are done."""
        since: dict[str, float] = {}

        def look() -> bool:
            for id_ in ids:
                if self.callback(id_).state is not State.TALKING:
                    continue
                talked = time.monotonic() - since.setdefault(id_, time.monotonic())
                if talked >= TALK and (extension := self.operator_of(id_)) is not None:
                    self.duty.phones[extension].hang_up()
            return all(self.callback(id_).state is State.DONE for id_ in ids)

        self.system.wait_for(look, timeout, "all to be served", step=0.2)

    def invited(self, id_: str) -> list[Invited]:
        return self.called.invited(self.numbers[id_])

    def nobody_was_called_twice(self) -> None:
        """At once, or again after a talk; by all that the citizens' side has seen."""
        calls = self.called.invited()
        served = {self.numbers[id_] for id_ in self.numbers if self.results(id_) == ["served"]}
        assert overlapping(calls) == 0, "two INVITEs at once to one citizen"
        assert after_a_talk([c for c in calls if c.number in served]) == 0, "dialled after a talk"

    def contact(self, id_: str) -> tuple[str | None, int]:
        """Outcome of the last attempt's contact, and the seconds of its talk."""
        with self.system.records.store.transaction() as uow:
            found = uow.cards.contact(uow.callbacks.get(id_).call)
        assert found is not None
        return (found.outcome.value if isinstance(found.outcome, ContactOutcome) else None, found.talking_s)


@contextmanager
def calling_site(folder: Path, **more: object) -> Iterator[Site]:
    """Operators 201 of soc, 202 of szn, 203 of sfr have accounts; none is on duty."""
    with Called() as called, System(**(settings(called, folder) | more)) as system:  # type: ignore[arg-type]
        system.open_today()
        system.demo_data(seed=1)
        duty = Duty(system)
        for extension, agency in {"201": "soc", "202": "szn", "203": "sfr"}.items():
            duty.hire(extension, agency=agency)
        try:
            yield Site(system, called, duty)
        finally:
            duty.abandon()
