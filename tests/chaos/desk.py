"""Operators on duty through everything: they answer, talk a while, hang up, and log in again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random

from tests.chaos.evidence import Talk
from tests.harness.baresip import PhoneError, PhoneEvent
from tests.harness.duty import Duty
from tests.harness.processes import TooLate
from tests.harness.softphone import Softphone
from tests.harness.system import System

TALKS = (7.0, 12.0)
"""Seconds from an operator's answer to hanging up."""
CALLBACKS = (24.0, 32.0)
"""The same where a citizen is called, who rings and is greeted within them."""
CALLED = "перезвон"
"""What an operator's display then says."""
READY_AGAIN = 12.0
"""Seconds without a call after which an operator dials `*11`: whatever a crash has made of the duty."""
LOOK = 0.2


class Desk:
    """Some operators with telephones; `stop` takes them off duty."""

    def __init__(self, system: System, agencies: Sequence[str], *, seed: int) -> None:
        self._random = Random(seed)
        self._duty = Duty(system)
        self._ending = threading.Event()
        self._limits: dict[float, float] = {}
        self._ended: set[float] = set()
        self._marks = (time.time(), time.monotonic())
        for number, agency in enumerate(agencies, 201):
            self._duty.hire(str(number), agency=agency)
            self._duty.log_in(str(number))
        self._phones = list(self._duty.phones.values())
        self._busy = dict.fromkeys(self._duty.phones, time.monotonic())
        self._thread = threading.Thread(target=self._work, daemon=True, name="operators")
        self._thread.start()

    def _work(self) -> None:
        while not self._ending.wait(LOOK):
            for extension, phone in self._duty.phones.items():
                with suppress(PhoneError, TooLate):  # the line may be dead; the phone is asked again
                    self._look(extension, phone)

    def _look(self, extension: str, phone: Softphone) -> None:
        now, state = time.monotonic(), phone.state
        if state == "talking":
            self._busy[extension] = now
            begun = next(e for e in reversed(phone.events) if e.type == "CALL_ESTABLISHED")
            limits = CALLBACKS if CALLED in begun.display else TALKS
            if now - begun.at >= self._limits.setdefault(begun.at, self._random.uniform(*limits)):
                self._ended.add(begun.at)
                phone.hang_up(wait=False)
        elif state == "idle" and now - self._busy[extension] > READY_AGAIN:
            self._busy[extension] = now
            phone.dial("*11", wait=False)

    def talks(self) -> list[Talk]:
        """Every call that a telephone has answered, as it has seen it."""
        return [talk for phone in self._phones for talk in self._talks(phone.events)]

    def _talks(self, events: Sequence[PhoneEvent]) -> Iterator[Talk]:
        begun: PhoneEvent | None = None
        for event in events:
            if event.type == "CALL_ESTABLISHED":
                begun = event
            elif event.type == "CALL_CLOSED" and begun is not None:
                yield self._talk(begun, event.at)
                begun = None
        if begun is not None:
            yield self._talk(begun, None)

    def _talk(self, begun: PhoneEvent, until: float | None) -> Talk:
        """baresip's clock is the monotonic one."""
        apart = self._marks[0] - self._marks[1]
        return Talk(
            number=begun.peer.removeprefix("sip:").partition("@")[0],
            since=begun.at + apart,
            until=None if until is None else until + apart,
            hung_up=begun.at in self._ended,
        )

    def stop(self) -> None:
        """Off duty, talks ended."""
        self._ending.set()
        self._thread.join(30)
        self._duty.close()

    def close(self) -> None:
        self._ending.set()
        self._thread.join(30)
        self._duty.abandon()
