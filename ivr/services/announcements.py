"""What every caller hears after the greeting in an emergency; in force from the next call on."""

from __future__ import annotations

import io
import wave
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from ivr.domain.errors import BadInput, Unavailable
from ivr.domain.ids import new_id
from ivr.domain.waiting import Announcement
from ivr.observe import get_logger
from ivr.ports import Prompt, UnitOfWork
from ivr.services.audit import By

LONGEST_TEXT = 400
"""Characters, as much as is spoken of a text from outside."""
LONGEST_RECORDING = 60.0
"""Seconds: everybody has to hear it."""
_log = get_logger("ivr.announcements")


class Recordings(Protocol):
    """Where recordings are made fit for the telephone (`ivr.speech.prompts.PromptStore`)."""

    def keeps(self, sound: str) -> bool: ...

    def keep(self, sound: str, recording: bytes) -> None:
        """Raises Unavailable."""
        ...


def announce(
    uow: UnitOfWork,
    by: By,
    *,
    text: str = "",
    recording: bytes | None = None,
    until: datetime | None = None,
) -> Announcement:
    """Put a text or a recording (PCM wav) into force, instead of any other. Raises BadInput."""
    if until is not None and until <= by.at:
        raise BadInput("the announcement would be over already; give a time that is to come")
    sound = ""
    if recording is not None:
        check_recording(recording)
        sound = sha256(recording).hexdigest()
    else:
        _check_text(text)
    made = Announcement(id=new_id(by.at), at=by.at, text=text, sound=sound, until=until)
    uow.queues.announce(made, recording)
    by.note(uow, "queues.announce", made.id, result="recording" if sound else "text")
    return made


def silence(uow: UnitOfWork, by: By) -> bool:
    """Take back what is in force; whether anything was."""
    current = uow.queues.announcement(by.at)
    if current is None or not uow.queues.silence(by.at):
        return False
    by.note(uow, "queues.announce", current.id, result="taken back")
    return True


def current(uow: UnitOfWork, recordings: Recordings | None, now: datetime) -> Prompt | None:
    """What is to be said now; a recording is brought here first, and one that cannot be is not said."""
    found = uow.queues.announcement(now)
    if found is None:
        return None
    if found.sound and recordings is not None and not recordings.keeps(found.sound):
        try:
            recordings.keep(found.sound, uow.queues.recording(found.sound) or b"")
        except Unavailable as error:
            _log.error("recording_unkept", reason=str(error))
            return None
    return Prompt.of("announcement", text="" if found.sound else found.text, sound=found.sound)


def view(announcement: Announcement) -> dict[str, object]:
    """With the keys of the outer interface."""
    return {
        "id": announcement.id,
        "at": announcement.at,
        "text": announcement.text,
        "recording": bool(announcement.sound),
        "until": announcement.until,
    }


def check_recording(recording: bytes) -> None:
    """Raises BadInput unless it is a PCM wav that is not too long."""
    try:
        with wave.open(io.BytesIO(recording)) as file:
            seconds, width = file.getnframes() / file.getframerate(), file.getsampwidth()
    except (wave.Error, EOFError, ZeroDivisionError):
        raise BadInput("this is no PCM wav; make one with `sox IN -r 8000 -c 1 -b 16 OUT.wav`") from None
    if width != 2:
        raise BadInput("the wav must have 16 bits; make one with `sox IN -r 8000 -c 1 -b 16 OUT.wav`")
    if not 0 < seconds <= LONGEST_RECORDING:
        raise BadInput(f"the recording lasts {seconds:.0f} s; from 1 to {LONGEST_RECORDING:.0f} s are played")


def _check_text(text: str) -> None:
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise BadInput(f"an announcement is a text of 1 to {LONGEST_TEXT} characters")
