"""Keeps the engine's own work going, whatever it meets: with an alarm, ever longer pauses, and no end."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NoReturn

from ivr.domain.errors import EkcError
from ivr.observe import get_logger
from ivr.ports import Clock
from ivr.services.alarms import Alarms

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until what failed by a mistake of ours is tried again: doubled from the first to the longest."""
PROVEN_SECONDS = 30.0
"""A task that has run for so long works again."""
_log = get_logger("ivr.engine")


@dataclass(frozen=True, kw_only=True)
class Routine:
    """Something the engine does again and again; what fails is tried again, with an alarm until it works."""

    name: str
    seconds: float | Callable[[], float]
    """Between two times; asked anew each time."""
    work: Callable[[], Awaitable[object]]
    remedy: str
    """Of its alarm."""


class Tending:
    """Runs routines and tasks for ever.

    What is expected to fail (a database that is down, a full disk) is an alarm of the routine's own name and
    tried again in its usual time. Anything else is a mistake of ours: the alarm is `routine.<name>`, and the
    pauses grow. An engine that ended of it would be started again, meet the same thing again, and take the
    calls of everybody with it each time.
    """

    def __init__(
        self, alarms: Alarms, clock: Clock, *, on_mistake: Callable[[str], None] = lambda _name: None
    ) -> None:
        """on_mistake: told the name each time something failed by a mistake of ours."""
        self._alarms = alarms
        self._clock = clock
        self._on_mistake = on_mistake

    async def again(self, routine: Routine) -> None:
        """For ever. A failure is logged when it is another one than the last time."""
        failed, mistakes = "", 0
        while True:
            seconds = routine.seconds() if callable(routine.seconds) else routine.seconds
            await asyncio.sleep(max(seconds, _pause(mistakes)))
            try:
                await routine.work()
            except (EkcError, OSError) as error:
                if failed != str(error):
                    self.trouble(routine.name, error, routine.remedy)
                failed, mistakes = str(error), 0
            except Exception as error:  # noqa: BLE001 - told by log, alarm and metric, and tried again
                failed, mistakes = "", mistakes + 1
                self.mistake(routine.name, error)
            else:
                failed, mistakes = "", 0
                self._clear(routine.name)
                self._clear(_key(routine.name))

    async def for_ever(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run what is never to end; when it does, by itself or by an error, begin it anew."""
        mistakes = 0
        while True:
            proven = asyncio.get_running_loop().call_later(PROVEN_SECONDS, self._clear, _key(name))
            began = self._clock.monotonic()
            try:
                await self._unending(name, run)
            except Exception as error:  # noqa: BLE001 - told by log, alarm and metric, and begun anew
                proven.cancel()
                mistakes = 1 if self._clock.monotonic() - began >= PROVEN_SECONDS else mistakes + 1
                self.mistake(name, error)
                await asyncio.sleep(_pause(mistakes))
            finally:
                proven.cancel()

    @staticmethod
    async def _unending(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> NoReturn:
        await run()
        raise RuntimeError(f"{name} was to run for ever")

    @staticmethod
    async def last(name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Once more before the end; what fails must not keep the others from their last time."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - logged, and the engine ends
            _log.warning("routine_unfinished", routine=name, error=type(error).__name__)

    def trouble(self, name: str, error: Exception, remedy: str) -> None:
        """An alarm of the routine's own name, in the error's words."""
        _log.error("routine_failed", routine=name, error=type(error).__name__, reason=str(error))
        self._raise(name, str(error) if isinstance(error, EkcError) else f"{name}: {error}", remedy)

    def mistake(self, name: str, error: Exception) -> None:
        """An alarm and a line in the log, of frames and types only: the message may quote a citizen."""
        frames = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        _log.error("routine_broken", routine=name, error=kind, traceback=frames)
        self._on_mistake(name)
        what = f"{name} fails by an error of the program ({kind}) and is tried again and again"
        self._raise(_key(name), what, "report it with the lines “routine_broken” of log/engine.log")

    def _raise(self, key: str, what: str, remedy: str) -> None:
        try:
            self._alarms.set(key, what, remedy, self._clock.now())
        except OSError as full:
            _log.error("alarm_unwritten", routine=key, error=str(full))

    def _clear(self, key: str) -> None:
        try:
            self._alarms.clear(key)
        except OSError as full:  # it is cleared, but not yet in the file: the next time says so again
            _log.error("alarm_unwritten", routine=key, error=str(full))


def _key(name: str) -> str:
    return f"routine.{name}"


def _pause(mistakes: int) -> float:
    """Seconds to wait after so many mistakes in a row."""
    return min(FIRST_PAUSE * 2.0 ** min(mistakes - 1, 16), LONGEST_PAUSE) if mistakes else 0.0
