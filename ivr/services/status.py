"""Can the line take a call? One document for `ekc status` and `/health`.

`ready` is true when Asterisk lives, both SIP ports answer and the engine listens for FastAGI. A database that
is down does not make the line unready: callers are still answered and reach the queue (architecture.md, rule
2), so that is an alarm. Outside working hours the line is ready, too: it tells the next opening.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

from ivr.domain.errors import EkcError
from ivr.services.alarms import Alarm, read_alarms
from ivr.services.probes import pid_from, reachable
from ivr.settings import Settings

T = TypeVar("T")
PROBE_SECONDS = 3.0
"""For one probe."""
POLL_SECONDS = 0.5
"""Between two looks of `--wait`."""
MAX_ANSWER = 1_000_000
"""Bytes of a /health document."""
DATABASE_DOWN = "the database does not answer: callers reach the queue without self-service"
START = "start it with `ekc up`"

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class LineState:
    """The calendar's word."""

    open: bool
    next_opening: datetime | None
    """None while the line is open, and where no opening is known."""


@dataclass(frozen=True, kw_only=True)
class SpeechState:
    """A line that listens."""

    model: str
    streams: int
    """Conversations that can be listened to at once."""
    taken: int
    """Those that are now."""


@dataclass(frozen=True, kw_only=True)
class AsteriskState:
    """A running Asterisk."""

    version: str | None
    pid: int | None


@dataclass(frozen=True, kw_only=True)
class DatabaseState:
    """A database that answers."""

    backend: str
    """sqlite, postgresql"""
    revision: str | None
    pid: int | None = None
    """Of a server we started ourselves."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """How the engine looks at the parts. A probe that fails raises EkcError or OSError, or takes too long."""

    line: Callable[[], Awaitable[LineState]]
    asterisk: Callable[[], Awaitable[AsteriskState]]
    sip_line: Callable[[], Awaitable[bool]]
    sip_operators: Callable[[], Awaitable[bool]]
    agi: Callable[[], Awaitable[bool]]
    database: Callable[[], Awaitable[DatabaseState]]
    calls: Callable[[], Awaitable[int]]
    """In progress."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the document says whatever the parts do."""

    sip_line: str
    sip_operators: str
    web: str
    backend: str
    run_dir: Path
    zone: tzinfo

    @classmethod
    def of(cls, settings: Settings) -> Place:
        host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
        web = reachable(settings.bind)
        return cls(
            sip_line=f"{host}:{settings.sip_port}",
            sip_operators=f"{host}:{settings.operators_port}",
            web=f"http://{f'[{web}]' if ':' in web else web}:{settings.web_port}/",
            backend=settings.sqlalchemy_url.partition(":")[0].partition("+")[0],
            run_dir=settings.run_dir,
            zone=settings.zone,
        )


class _Look:
    """One look at all parts; what does not answer becomes an alarm."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.alarms: list[Alarm] = []

    async def at(self, probe: Callable[[], Awaitable[T]], what: str, remedy: str) -> T | None:
        """The probe's result, or None with an alarm. The alarm never quotes the error, which may be long."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                found = await probe()
        except (EkcError, OSError):
            found = None
        if found is None or found is False:
            self.alarms.append(Alarm(since=self._now, what=what, remedy=remedy))
            return None
        return found


async def collect(
    place: Place,
    probes: Probes,
    *,
    engine_pid: int,
    now: datetime,
    own: Sequence[Alarm] = (),
    speech: SpeechState | None = None,
) -> Document:
    """The document as the running engine sees it. Never raises for a part that is down.

    own: the engine's alarms; on a full disk they do not get into its file. speech: None for keys alone.
    """
    look = _Look(now)
    async with asyncio.TaskGroup() as at_once:
        run = at_once.create_task
        asterisk = run(look.at(probes.asterisk, "Asterisk does not answer", "see asterisk/log/messages"))
        line_port = run(look.at(probes.sip_line, _silent("the line", place.sip_line), "`ekc doctor`"))
        own_port = run(
            look.at(probes.sip_operators, _silent("operators", place.sip_operators), "`ekc doctor`")
        )
        agi = run(look.at(probes.agi, "the engine takes no calls", "see log/engine.log"))
        database = run(look.at(probes.database, DATABASE_DOWN, "`ekc doctor`, `ekc db check`"))
        line = run(look.at(probes.line, "the working hours are not known", "`ekc db check`"))
        calls = run(look.at(probes.calls, "the number of calls is not known", "see log/engine.log"))
    return _document(
        place,
        ready=all(part.result() for part in (asterisk, line_port, own_port, agi)),
        line=line.result(),
        asterisk=asterisk.result() or AsteriskState(version=None, pid=None),
        engine=engine_pid,
        database=database.result() or DatabaseState(backend=place.backend, revision=None),
        calls=calls.result(),
        alarms=[*_merged(read_alarms(place.run_dir), own), *look.alarms],
        speech=speech,
    )


def _merged(written: Sequence[Alarm], own: Sequence[Alarm]) -> Sequence[Alarm]:
    return sorted({*written, *own}, key=lambda alarm: alarm.since)


def _silent(whose: str, where: str) -> str:
    return f"the SIP port of {whose}, {where}, does not answer"


def from_files(place: Place, *, now: datetime, line: LineState | None = None) -> Document:
    """The document when the engine does not answer: never ready.

    line: the calendar's word, where the caller could ask the database.
    """
    asterisk, engine = pid_from(place.run_dir / "asterisk.pid"), pid_from(place.run_dir / "engine.pid")
    if engine is None:
        what, remedy = "the engine does not run", START
    else:
        what, remedy = "the engine does not answer over HTTP", "see log/engine.log"
    alarms = [*read_alarms(place.run_dir), Alarm(since=now, what=what, remedy=remedy)]
    if asterisk is None:
        alarms.append(Alarm(since=now, what="Asterisk does not run", remedy=START))
    return _document(
        place,
        ready=False,
        line=line,
        asterisk=AsteriskState(version=None, pid=asterisk),
        engine=engine,
        database=DatabaseState(backend=place.backend, revision=None),
        calls=None,
        alarms=alarms,
    )


def _document(
    place: Place,
    *,
    ready: bool,
    line: LineState | None,
    asterisk: AsteriskState,
    engine: int | None,
    database: DatabaseState,
    calls: int | None,
    alarms: Sequence[Alarm],
    speech: SpeechState | None = None,
) -> Document:
    """The keys of `ekc status` (interface.md), in its order."""
    return {
        "ready": ready,
        "line": _line(line, place.zone),
        "sip": {"line": place.sip_line, "operators": place.sip_operators},
        "web": place.web,
        "asterisk": {"version": asterisk.version, "pid": asterisk.pid},
        "engine": {"pid": engine},
        "database": {"backend": database.backend, "revision": database.revision, "pid": database.pid},
        "calls": calls,
        "speech": speech and speech.model,
        "speech_streams": speech and {"limit": speech.streams, "taken": speech.taken},
        "alarms": _alarms(alarms, place.zone),
    }


def _line(line: LineState | None, zone: tzinfo) -> Mapping[str, object]:
    if line is None:
        return {"open": None, "next_opening": None}
    opening = line.next_opening
    return {"open": line.open, "next_opening": opening and opening.astimezone(zone).isoformat("T", "seconds")}


def _alarms(alarms: Sequence[Alarm], zone: tzinfo) -> list[Mapping[str, str]]:
    return [
        {"since": a.since.astimezone(zone).isoformat("T", "seconds"), "what": a.what, "remedy": a.remedy}
        for a in alarms
    ]


def ask_engine(settings: Settings, *, seconds: float = 12.0) -> Document | None:
    """The document of this state's running engine, over HTTP.

    None when nobody answers, or another program does: a second system on the same port is told by its pid.
    """
    expected = pid_from(settings.run_dir / "engine.pid")
    connection = http.client.HTTPConnection(reachable(settings.bind), settings.web_port, timeout=seconds)
    try:
        connection.request("GET", "/health")
        document = json.loads(connection.getresponse().read(MAX_ANSWER))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    engine = document.get("engine") if isinstance(document, dict) else None
    ours = isinstance(engine, dict) and expected in (None, engine.get("pid"))
    return document if ours else None


def wait_ready(
    look: Callable[[], Document],
    *,
    seconds: float,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> Document:
    """The first ready document, or the last one when `seconds` have passed; looks at least once."""
    deadline = monotonic() + seconds
    while not (document := look())["ready"]:
        left = deadline - monotonic()
        if left <= 0:
            break
        sleep(min(POLL_SECONDS, left))
    return document
