"""Alarms: what is wrong now, since when, and what to do about it. Each process writes a file of its own in
`<state>/run`; `ekc status` merges them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.files import write_whole


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something an administrator has to know."""

    since: datetime
    what: str
    """One sentence without anything personal."""
    remedy: str

    def __post_init__(self) -> None:
        if self.since.tzinfo is None:
            raise BadInput("an alarm's time needs a zone")


class Alarms:
    """The alarms of one process, by key; the file `alarms-<owner>.json` follows every change."""

    def __init__(
        self, run_dir: Path, owner: str, *, tell: Callable[[str, Alarm], None] = lambda _key, _alarm: None
    ) -> None:
        """owner: `supervisor`, `engine`. A file left by an earlier process of this owner is forgotten.

        tell: called with each new alarm and its key; it must not wait.
        """
        self._tell = tell
        self._path = run_dir / f"alarms-{owner}.json"
        self._alarms: dict[str, Alarm] = {}
        self._unwritten = False
        self._path.unlink(missing_ok=True)

    def set(self, key: str, what: str, remedy: str, now: datetime) -> None:
        """Raise an alarm or change its words; one that stands keeps its beginning. Raises OSError."""
        old = self._alarms.get(key)
        alarm = Alarm(since=old.since if old else now, what=what, remedy=remedy)
        if alarm != old or self._unwritten:
            self._alarms[key] = alarm
            if old is None:
                self._tell(key, alarm)
            self._write()

    def clear(self, key: str) -> None:
        if self._alarms.pop(key, None) is not None or self._unwritten:
            self._write()

    def close(self) -> None:
        """The process ends in good order: its alarms end with it."""
        self._alarms.clear()
        self._path.unlink(missing_ok=True)

    def list(self) -> Sequence[Alarm]:
        return sorted(self._alarms.values(), key=lambda a: a.since)

    def _write(self) -> None:
        self._unwritten = True  # until it is
        rows = [{"since": a.since.isoformat(), "what": a.what, "remedy": a.remedy} for a in self.list()]
        write_whole(self._path, json.dumps(rows, ensure_ascii=False))
        self._unwritten = False


def read_alarms(run_dir: Path) -> Sequence[Alarm]:
    """The alarms of all processes, oldest first; a file that cannot be read is itself an alarm."""
    return sorted(
        (alarm for path in sorted(run_dir.glob("alarms-*.json")) for alarm in _read(path)),
        key=lambda a: a.since,
    )


def _read(path: Path) -> list[Alarm]:
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        rows = json.loads(path.read_text("utf-8"))
        return [
            Alarm(since=datetime.fromisoformat(r["since"]), what=r["what"], remedy=r["remedy"]) for r in rows
        ]
    except FileNotFoundError:  # cleared between listing and reading
        return []
    except (OSError, ValueError, TypeError, KeyError):
        what = f"{path.name} cannot be read"
        return [Alarm(since=written, what=what, remedy=f"look at {path}, then restart its owner")]
