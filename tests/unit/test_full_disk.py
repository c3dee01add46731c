"""A disk that takes no more: callers hear what is made already, or reach an operator; with room all works."""

from __future__ import annotations

import errno
import os
import sys
from datetime import date
from pathlib import Path

import pytest

from ivr.domain.errors import Unavailable
from ivr.domain.worktime import DayException
from ivr.files import write_whole
from ivr.ports import LeftQueue, Prompt
from ivr.services import announcements
from ivr.services.disk import LEAST, LEAST_FILES, DiskWatch, Room
from ivr.services.known_days import KnownDays
from ivr.speech.prompts import PromptStore
from ivr.speech.synthesis import Synthesiser
from ivr.testing import START, MemoryStore
from tests.unit.ringing import CHILDREN, WORK, Line

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
MENU = Prompt.of("menu")
PERSONAL = Prompt.of(
    "status.result",
    service="Субсидия",
    accepted_on=date(2026, 3, 3),
    status="рассмотрено",
    decision="",
    refusal_reason="",
    missing_documents=(),
)
VOICE = """
import sys, wave
with wave.open(sys.argv[2], "wb") as file:
    file.setparams((1, 2, 8000, 0, "NONE", ""))
    file.writeframes((b"\\x00\\x10" * 8 + b"\\x00\\xf0" * 8) * 200)
"""


def full(*_: object, **__: object) -> None:
    raise FULL


@pytest.fixture
def prompts(tmp_path: Path) -> PromptStore:
    script = tmp_path / "voice.py"
    script.write_text(VOICE)
    command = f"{sys.executable} -I -S {script} {{input}} {{output}}"
    return PromptStore(
        Synthesiser(command, seconds=20), voice="v", cache=tmp_path / "cache", private=tmp_path / "private"
    )


# --- sounds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", [MENU, PERSONAL], ids=["for everybody", "personal"])
@pytest.mark.parametrize(
    "step",
    ["synthesis._write_private", "prompts.private_folder", "prompts.TemporaryDirectory", "prompts.place"],
)
async def test_a_prompt_that_cannot_be_written_is_unavailable_until_there_is_room(
    prompts: PromptStore, monkeypatch: pytest.MonkeyPatch, step: str, prompt: Prompt
) -> None:
    with monkeypatch.context() as disk:
        disk.setattr(f"ivr.speech.{step}", full)
        with pytest.raises(Unavailable, match="No space left"):
            await prompts.audio(prompt)
    assert (await prompts.audio(prompt)).is_file()


async def test_what_is_made_already_is_played_from_a_full_disk(
    prompts: PromptStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await prompts.audio(MENU)
    monkeypatch.setattr("ivr.speech.synthesis._write_private", full)
    assert prompts.ready(MENU) == made == await prompts.audio(MENU)


async def test_a_recording_that_cannot_be_brought_here_keeps_nobody_from_the_line() -> None:
    class Full:
        def keeps(self, sound: str) -> bool:
            return False

        def keep(self, sound: str, recording: bytes) -> None:
            raise Unavailable

    store = MemoryStore()
    with store.transaction() as uow:
        made = announcements.Announcement(id="1", at=START, text="", sound="a" * 64, until=None)
        uow.queues.announce(made, b"RIFF")
        assert announcements.current(uow, Full(), START) is None


# --- calls -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("unmade", [{"greeting"}, {"menu"}, {"menu", "connecting"}, {"connecting"}])
async def test_a_sentence_that_cannot_be_made_leads_to_an_operator_and_not_to_a_broken_flow(
    unmade: set[str],
) -> None:
    line = Line().knows(topics=[WORK, CHILDREN])
    line.prompts.failing = unmade
    channel = line.ring()
    channel.caller.presses("0", on="menu")  # where it is asked
    await line.answers(channel)
    assert channel.handed_over == ("general", 0, line.card(channel).id)


async def test_without_database_and_room_everybody_still_reaches_the_queue() -> None:
    line = Line()
    line.store.down = True
    line.prompts.failing = {"greeting", "emergency"}
    channel = await line.call()
    assert channel.handed_over == ("general", 0, "")


async def test_a_promised_callback_holds_although_it_cannot_be_said() -> None:
    line = Line()
    channel = line.waiting()
    line.prompts.failing = {"callback.confirmed", "goodbye"}
    await line.gives_back(channel, LeftQueue.CALLBACK)
    assert len(line.callbacks) == 1 and channel.finished


async def test_who_cannot_be_offered_a_callback_goes_on_waiting() -> None:
    line = Line()
    channel = line.waiting()
    line.prompts.failing = {"queue.callback"}
    await line.gives_back(channel, LeftQueue.TIMEOUT)
    assert channel.handed_over is not None and line.callbacks == []


# --- other files -----------------------------------------------------------------------------------


def test_a_file_that_could_not_be_replaced_stays_as_it_was_and_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "board.json"
    write_whole(path, "old")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


async def test_days_that_cannot_be_written_down_hold_all_the_same_and_are_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, path = MemoryStore(), tmp_path / "calendar.json"
    opened = DayException(day=date(2026, 11, 29), opens=None, closes=None)
    known = KnownDays(store, path)
    await known.refresh()
    store.rows.calendar.set(opened)
    with monkeypatch.context() as disk:
        disk.setattr("ivr.services.known_days.write_whole", full)
        with pytest.raises(OSError, match="No space left"):
            await known.refresh()
    assert list(known.days) == [opened]
    await known.refresh()
    assert list(KnownDays(store, path).days) == [opened]


@pytest.mark.parametrize(
    ("room", "what"),
    [
        (Room(free=LEAST - 1, files=None), "is full"),
        (Room(free=LEAST, files=LEAST_FILES - 1), "takes no more files"),
    ],
)
async def test_a_full_disk_is_told_and_room_again_too(room: Room, what: str) -> None:
    rooms = [room, Room(free=LEAST, files=None)]
    watch = DiskWatch(lambda: rooms.pop(0))
    with pytest.raises(Unavailable, match=what):
        await watch.look()
    await watch.look()


def test_the_room_is_that_of_an_ordinary_user(tmp_path: Path) -> None:
    assert 0 < Room.at(tmp_path).free <= os.statvfs(tmp_path).f_bfree * os.statvfs(tmp_path).f_frsize
