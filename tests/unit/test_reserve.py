"""Room that is kept on the disk for Asterisk's journals. That it helps on a full disk, chaos shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivr.domain.errors import Unavailable
from ivr.services.disk import LEAST, DiskWatch, Room
from ivr.services.reserve import Reserve

KEPT = 1 << 20


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "arrivals.log"
    path.write_text("one line\n")
    return path


def kept(path: Path) -> int:
    found = path.stat()
    return found.st_blocks * 512 - found.st_size


def append(path: Path, more: str) -> None:
    with path.open("a") as file:
        file.write(more)


def text(path: Path) -> str:
    return path.read_text()


def pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """A system call that fails, as fallocate(1) tells of it."""
    program = folder / "fallocate"
    program.write_text(f"#!/bin/sh\necho 'fallocate: fallocate failed: {says}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


async def test_room_is_kept_beyond_the_end_and_the_file_stays_as_it_is(journal: Path) -> None:
    await Reserve([journal], kept=KEPT).look()
    assert kept(journal) >= KEPT
    append(journal, "another\n")
    assert text(journal) == "one line\nanother\n"


async def test_what_was_used_is_filled_up_again(journal: Path) -> None:
    reserve = Reserve([journal], kept=KEPT)
    await reserve.look()
    append(journal, "x" * (KEPT * 3 // 4))
    assert kept(journal) < KEPT // 2
    await reserve.look()
    assert kept(journal) >= KEPT


async def test_a_file_that_is_not_there_yet_gets_its_room_later(tmp_path: Path) -> None:
    later = tmp_path / "queue_log"
    reserve = Reserve([later], kept=KEPT)
    await reserve.look()
    later.write_text("")
    await reserve.look()
    assert kept(later) >= KEPT


async def test_no_room_is_an_alarm(journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "No space left on device")
    watch = DiskWatch(lambda: Room(free=LEAST, files=None), Reserve([journal], kept=KEPT).look)
    with pytest.raises(Unavailable, match=r"no room can be kept for arrivals\.log.*No space left"):
        await watch.look()


async def test_a_file_system_that_cannot_do_it_is_asked_once(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, monkeypatch, "Operation not supported")
    reserve = Reserve([journal], kept=KEPT)
    await reserve.look()
    pretend(tmp_path, monkeypatch, "No space left on device")
    await reserve.look()
