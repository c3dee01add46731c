"""Three telephones and a citizen for the tests of transfers."""

from __future__ import annotations

import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ivr.ports import Prompt
from tests.harness.duty import Duty
from tests.harness.listening import was_heard
from tests.harness.processes import wait_for
from tests.harness.records import Lived
from tests.harness.scenario import LINE
from tests.harness.softphone import Softphone
from tests.harness.sounds import sound_of
from tests.harness.system import System
from tests.harness.voices import TO_OPERATORS
from tests.line.conftest import new_number

FIRST, SECOND = "211", "212"
"""Operators: the first line of soc, and the second line of szn."""
QUEUE = "szn-2"
TOPIC, TITLE = "13", "Обучение новой профессии"
"""A topic of szn."""
SERVED = ("served", "served")
BLIND, ATTENDED = "1", "2"
SOME_SECONDS = 1.5
"""Long enough for a menu to listen, or for two to hear each other."""


QUICK = ("connecting", "greeting", "transfer.calling", "transfer.colleague_left", *TO_OPERATORS)
"""Prompts that are not what these tests are about."""


def quick_prompts(folder: Path) -> Path:
    """Recordings for EKC_PROMPTS_DIR that make them a moment long."""
    folder.mkdir(exist_ok=True)
    for id_ in QUICK:
        with wave.open(str(folder / f"{id_}.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(2 * 800))
    return folder


@contextmanager
def open_office(folder: Path) -> Iterator[Duty]:
    """Both on duty in a system of short patience; folder: for its prompts.

    Phones that are silent for 3 s are dead, a transfer fails after 12 s.
    """
    patience = {"phone_rtp_timeout_seconds": 3, "transfer_seconds": 12, "operator_back_seconds": 10}
    prompts = quick_prompts(folder)
    with System(wrapup_seconds=1, ring_seconds=5, prompts_dir=prompts, **patience) as running:
        running.open_today()
        running.demo_data(seed=1)
        duty = Duty(running)
        duty.hire(FIRST, agency="soc")
        duty.hire(SECOND, agency="szn", line=2)
        duty.log_in(FIRST)
        duty.log_in(SECOND)
        try:
            yield duty
        finally:
            duty.abandon()


class Scene:
    """A citizen who talks with an operator, and the keys of the transfer menu."""

    def __init__(self, system: System, duty: Duty) -> None:
        self.system, self.duty = system, duty
        self._citizens: list[Softphone] = []
        self.call = ""

    def talk(self) -> Self:
        """A new citizen calls and talks with the first operator."""
        number = new_number()
        self._citizens.append(Softphone(number, server=self.system.line))
        self.citizen.dial(LINE)
        self.call = self.system.wait_call(number)
        time.sleep(SOME_SECONDS)
        self.citizen.press("0")
        self.first.wait_talking(30)
        self.reached(f"bridge {FIRST} joined")
        time.sleep(SOME_SECONDS)
        return self

    @property
    def citizen(self) -> Softphone:
        return self._citizens[-1]

    @property
    def first(self) -> Softphone:
        return self.duty.phones[FIRST]

    @property
    def second(self) -> Softphone:
        return self.duty.phones[SECOND]

    def reached(self, step: str, *, count: int = 1, timeout: float = 20) -> None:
        self.system.wait_step(self.call, step, timeout, count=count)

    def menu(self) -> None:
        """The first operator's *2."""
        self.first.press_all("*2")
        time.sleep(SOME_SECONDS)

    def transfer(self, way: str, *, line: str = "2", reason: str = "2") -> None:
        """The first operator's keys: topic, line, reason, way; typed ahead, as who knows the menu does."""
        self.menu()
        self.first.press_all(f"{TOPIC}#{line}{reason}{way}")

    def decide(self, key: str) -> None:
        """The first operator's key in the menu of a consultation."""
        self.menu()
        self.first.press(key)

    @property
    def first_leg(self) -> str:
        """Uniqueid of the first operator's leg of this call."""
        log = (self.system.state / "asterisk" / "log" / "queue_log").read_text().splitlines()
        fields = [line.split("|") for line in log]
        return next(f[6] for f in fields if f[1] == self.call and f[4] == "CONNECT")

    def told(self, prompt: str) -> bool:
        """Whether the first operator has heard this prompt to its end. (Last words are not whole in a
        recording.)"""
        return any(
            (event.id, event.outcome) == (prompt, "played")
            for event in self.system.records.trace(self.first_leg)
        )

    def heard(self, phone: Softphone, prompt: str, folder: Path) -> bool:
        """In the phone's last call, which is over."""
        return was_heard(sound_of(Prompt.of(prompt), folder), phone.heard()[-1])

    def state(self, phone: Softphone, state: str, timeout: float = 20) -> None:
        wait_for(lambda: phone.state == state, timeout, f"phone {phone.user} to be {state}")

    def ended(self) -> Lived:
        return self.system.wait_lived(self.call, 30)

    def close(self) -> None:
        for phone in self._citizens:
            phone.close()
        for phone in self.duty.phones.values():
            phone.hang_up()
