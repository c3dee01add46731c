"""Room on the disk that is kept for Asterisk's journals, so that a full disk swallows no line of theirs.

Blocks are allocated beyond a file's end (fallocate(2), FALLOC_FL_KEEP_SIZE): what is appended goes into them
when nothing else finds room. ext4, xfs, btrfs and tmpfs can do it; the file's size does not change.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ivr.domain.errors import Unavailable
from ivr.observe import get_logger

KEPT = 2 << 20
"""Bytes beyond the end of a file: those of some 200 calls in the journal of channels, of 20,000 arrivals."""
_BLOCK = 512
"""Bytes in which stat(2) counts what is allocated."""
_NEVER = "not supported"
"""EOPNOTSUPP: the file system cannot do it."""
_GONE = "No such file"
"""ENOENT: rotated at this moment."""
_log = get_logger("ivr.journal")


class Reserve:
    """Keeps it for some files."""

    def __init__(self, files: Sequence[Path], *, kept: int = KEPT) -> None:
        """files: those that are not there yet are looked at again."""
        self._files = files
        self._kept = kept
        self._possible = True

    async def look(self) -> None:
        """Fill up what is used by half. Raises Unavailable when there is no room."""
        for path in self._files if self._possible else ():
            with suppress(FileNotFoundError):  # begun by the first line
                found = path.stat()
                if found.st_blocks * _BLOCK - found.st_size < self._kept // 2:
                    await self._keep(path, found.st_size)

    async def _keep(self, path: Path, end: int) -> None:
        argv = ("fallocate", "--keep-size", "--offset", str(end), "--length", str(self._kept), str(path))
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=os.environ | {"LC_ALL": "C"}
        )
        _, said = await process.communicate()
        reason = said.decode(errors="replace").strip()
        if process.returncode == 0 or _GONE in reason:
            return
        if _NEVER not in reason:
            raise Unavailable(f"no room can be kept for {path.name}: {reason}")
        self._possible = False
        _log.warning("no_room_kept_for_journals", reason=reason)
