"""Is there room for what the line writes while it serves callers?"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ivr.domain.errors import Unavailable

LEAST = 20_000_000
"""Bytes. With less the disk counts as full: a sound, a journal and the database soon find no room."""
LEAST_FILES = 100
_HEARD = "callers hear what is made already, else they are given to an operator"


@dataclass(frozen=True, kw_only=True)
class Room:
    """What an ordinary user may still take."""

    free: int
    """Bytes."""
    files: int | None
    """None: this file system counts none."""

    @classmethod
    def at(cls, folder: Path) -> Room:
        """Raises OSError."""
        found = os.statvfs(folder)
        files = found.f_favail if found.f_files else None
        return cls(free=found.f_bavail * found.f_frsize, files=files)


class DiskWatch:
    """Raises what becomes an alarm while the disk of the state is full; before, it keeps a reserve."""

    def __init__(
        self, room: Callable[[], Room], reserve: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """reserve: raises Unavailable."""
        self._room = room
        self._reserve = reserve

    async def look(self) -> None:
        """Raises Unavailable, OSError."""
        room = self._room()
        if room.free < LEAST:
            raise Unavailable(f"the disk of the state directory is full: {_HEARD}")
        if room.files is not None and room.files < LEAST_FILES:
            raise Unavailable(f"the disk of the state directory takes no more files: {_HEARD}")
        if self._reserve is not None:
            await self._reserve()
