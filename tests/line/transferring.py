"""Three telephones and a citizen for the tests of transfers."""

from __future__ import annotations

import time
import wave
from pathlib import Path
from typing import Self

from tests.harness.duty import Duty
from tests.harness.processes import wait_for
from tests.harness.records import Lived
from tests.harness.scenario import LINE
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.line.conftest import new_number

FIRST, SECOND = "211", "212"
"""Operators: the first line of soc, and the second line of szn."""
QUEUE = "szn-2"
TOPIC, TITLE = "13", "Обучение новой профессии"
"""A topic of szn."""
BLIND, ATTENDED = "1", "2"
SOME_SECONDS = 1.5
"""Long enough for a menu to listen, or for two to hear each other."""


QUICK = ("connecting", "greeting", "whisper", "transfer.calling", "transfer.colleague_left")
"""Prompts that are not what these tests are about."""


def quick_prompts(folder: Path) -> Path:
    """Recordings for EKC_PROMPTS_DIR that make them a moment long."""
    folder.mkdir(exist_ok=True)
    for id_ in QUICK:
        with wave.open(str(folder / f"{id_}.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(2 * 800))
    return folder


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

    def state(self, phone: Softphone, state: str, timeout: float = 20) -> None:
        wait_for(lambda: phone.state == state, timeout, f"phone {phone.user} to be {state}")

    def ended(self) -> Lived:
        return self.system.wait_lived(self.call, 30)

    def close(self) -> None:
        for phone in self._citizens:
            phone.close()
        for phone in self.duty.phones.values():
            phone.hang_up()
