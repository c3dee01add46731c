"""Storage of the site: agencies, operators, queues, the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from ivr.domain.menu import Topic
from ivr.domain.operators import Operator, OperatorState, Place, SipAccount, StateChange
from ivr.domain.queue_rules import QueueRules
from ivr.domain.waiting import Announcement, Turn
from ivr.domain.worktime import DayException


class Agencies(Protocol):
    def upsert(self, topics: Iterable[Topic]) -> int:
        """Insert or update agencies with their topics; how many rows really changed."""
        ...

    def topics(self) -> Sequence[Topic]: ...

    def codes(self) -> Sequence[str]: ...


class Operators(Protocol):
    def add(self, operator: Operator, ha1: str) -> None:
        """With the usual places of its agency and line. Raises BadInput when the extension is taken."""
        ...

    def get(self, extension: str) -> Operator:
        """Raises NotFound."""
        ...

    def list(self, *, today: datetime | None = None) -> Sequence[Operator]:
        """today: the start of the day that `calls_today` counts from."""
        ...

    def set_state(self, extension: str, state: OperatorState, *, reason: str, at: datetime) -> None:
        """Raises NotFound. The change is added to the history."""
        ...

    def history(self, *, since: datetime) -> Sequence[StateChange]:
        """Changes of states from then on, in the order of time; and for each operator the last one before."""
        ...

    def assign(self, extension: str, *, agency: str, line: int) -> None:
        """To another agency or line; the places stay. Raises NotFound."""
        ...

    def appoint(self, extension: str, *, supervisor: bool) -> None:
        """Make an operator a supervisor, or one no more. Raises NotFound."""
        ...

    def places(self) -> Mapping[str, Sequence[Place]]:
        """The queues each operator serves while logged in, by extension; in the order of queues."""
        ...

    def set_places(self, extension: str, places: Iterable[Place]) -> None:
        """Instead of those there were. Raises NotFound."""
        ...

    def note_talk(self, extension: str, call: str) -> None:
        """The operator talks with this citizen: the last call, and no ring in vain before the next."""
        ...

    def note_missed(self, extension: str, missed: int) -> None:
        """So many rings in vain in a row."""
        ...

    def set_ha1(self, extension: str, ha1: str) -> None: ...

    def sip_accounts(self) -> Sequence[SipAccount]:
        """Of every operator that is not disabled."""
        ...


class Reasons(Protocol):
    """Directories of numbered reasons; `kind` says of what: `pause`, `transfer` …"""

    def list(self, kind: str) -> Mapping[str, str]:
        """Titles by key, in the order of keys."""
        ...

    def set(self, kind: str, key: str, title: str) -> None: ...

    def remove(self, kind: str, key: str) -> bool:
        """Whether there was such a reason."""
        ...


class Queues(Protocol):
    """Rules of queues, callers' turns in them, and what everybody is told."""

    def rules(self) -> Mapping[str, QueueRules]:
        """Those that were set, by queue; any other queue has its defaults."""
        ...

    def set_rules(self, rules: QueueRules) -> None: ...

    def take_turn(self, turn: Turn) -> None:
        """Written when a caller is handed over to a queue; of one call the last one counts."""
        ...

    def turns(self, calls: Iterable[str]) -> Mapping[str, Turn]:
        """Of those calls that have one, by call."""
        ...

    def earlier(self, number: str, *, besides: str, limit: int = 5) -> Sequence[tuple[str, Turn | None]]:
        """(card id, turn) of the latest enquiries from this number but for one, the newest first."""
        ...

    def handling(self, queue: str, *, since: datetime, limit: int = 50) -> Sequence[int]:
        """Seconds of talk and wrap-up of the callers that were served last in this queue."""
        ...

    def announce(self, announcement: Announcement, recording: bytes | None) -> None:
        """In force from now on, instead of any other. recording: a wav, where `sound` is its hash."""
        ...

    def announcement(self, now: datetime) -> Announcement | None:
        """What is in force."""
        ...

    def recording(self, sound: str) -> bytes | None: ...

    def silence(self, now: datetime) -> bool:
        """Take back what is in force; whether anything was."""
        ...


class CalendarDays(Protocol):
    def list(self) -> Sequence[DayException]: ...

    def set(self, day: DayException) -> None: ...

    def clear(self, day: date) -> bool: ...
