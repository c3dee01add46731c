"""Citizens at a steady rate: one sipp for each way of calling, a number of its own for each call."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.chaos.evidence import Citizen
from tests.chaos.sipp_log import Log, citizens
from tests.harness.processes import TooLate
from tests.harness.scenario import HangUp, HungUpOn, Key, Scenario, Step, typed
from tests.harness.sipp import Sipp

ENOUGH = 6000
"""Calls of one script that no run comes to."""
PATIENCE = 50.0
"""Seconds in which an operator or the line ends a call, else its caller does."""
ANONYMOUS = "anonymous"
_OPTIONS = ("-max_invite_retrans", 7, "-max_non_invite_retrans", 7)
"""A caller whose line is dead gives up after some twenty seconds."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """One way of calling."""

    name: str
    steps: Sequence[Step]
    share: float
    """Of all calls."""
    anonymous: bool = False
    numbers_of: str = ""
    """Calls again from the numbers of that script, each later than it: its share is smaller."""

    @property
    def asks_for_an_operator(self) -> bool:
        """By its first step: later ones may be digits of something else."""
        return isinstance(self.steps[0], Key) and self.steps[0].digit == "0"


def scripts(receipt: str) -> Sequence[Script]:
    """receipt: what is typed of it, `NUMBER#DDMMYYYY`."""
    operator = Key("0", after=2.0)
    return (
        Script(name="greeting", share=0.10, steps=[HangUp(1.5)]),
        Script(name="menu", share=0.10, steps=[HangUp(12.0)]),
        Script(name="status", share=0.20, steps=[*typed(f"11{receipt}", first=1.5, gap=0.15), HangUp(24.0)]),
        Script(name="talk", share=0.25, steps=[operator, HungUpOn(within=PATIENCE)]),
        Script(name="abandon", share=0.15, steps=[operator, HangUp(12.0)]),
        Script(name="callback", share=0.12, steps=[operator, Key("1", after=9.0), HungUpOn(within=PATIENCE)]),
        Script(name="again", share=0.05, steps=[operator, HungUpOn(within=PATIENCE)], numbers_of="abandon"),
        Script(name="anonymous", share=0.03, steps=[operator, HangUp(10.0)], anonymous=True),
    )


def receipt_of(people: Sequence[dict[str, Any]]) -> str:
    """An application whose number and date nobody else has (demo data)."""
    found = [_typed(application) for person in people for application in person["applications"]]
    return next(keys for keys in found if found.count(keys) == 1)


def _typed(application: dict[str, Any]) -> str:
    digits = re.sub(r"\D", "", application["number"])
    return f"{digits}#{date.fromisoformat(application['accepted_on']):%d%m%Y}"


class Fleet:
    """All citizens of one run."""

    def __init__(self, server: str, scripts: Sequence[Script], *, rate: float) -> None:
        """rate: calls a second, all scripts together."""
        self._scripts = scripts
        self._sipps: list[Sipp] = []
        self._logs: list[Log] = []
        places = {script.name: place for place, script in enumerate(scripts)}
        for script in scripts:
            place = places[script.numbers_of or script.name]
            numbers = [f"7951{place}{n:06}" for n in range(ENOUGH)]
            scenario = Scenario(steps=script.steps, anonymous=script.anonymous)
            sipp = Sipp(server, scenario, numbers=numbers, rate=rate * script.share, more=_OPTIONS)
            self._sipps.append(sipp)
            self._logs.append(Log(sipp.folder / "messages"))

    def in_progress(self, since: float) -> int:
        """Calls that the line has answered after this moment (epoch) and nobody has ended."""
        return sum(log.in_progress(since) for log in self._logs)

    def begin_no_more(self) -> None:
        for sipp in self._sipps:
            sipp.begin_no_more()

    @property
    def over(self) -> bool:
        return all(sipp.over for sipp in self._sipps)

    def calls(self) -> list[Citizen]:
        """As sipp's logs tell."""
        return [
            citizen
            for script, sipp, log in zip(self._scripts, self._sipps, self._logs, strict=True)
            for citizen in citizens(
                log,
                script=script.name,
                numbers=[ANONYMOUS] if script.anonymous else sipp.numbers,
                operator=script.asks_for_an_operator,
            )
        ]

    def keep(self, folder: Path) -> None:
        """Copy sipp's logs."""
        for script, sipp in zip(self._scripts, self._sipps, strict=True):
            for name in ("messages", "errors"):
                with suppress(FileNotFoundError):  # a sipp without errors writes none
                    shutil.copy(sipp.folder / name, folder / f"sipp-{script.name}-{name}")

    def close(self) -> None:
        for sipp in self._sipps:
            with suppress(TooLate):
                sipp.close()
